"""What tells one model from another: its calls and its weights."""

import hashlib

import keras
import numpy as np


def fingerprint(model: keras.Model) -> str:
    """A text that differs between models of other shapes or weights.

    Args:
        model: a built model.
    """
    digest = hashlib.sha256()
    for weight in model.weights:
        digest.update(f"{weight.path} {tuple(weight.shape)} {weight.dtype}".encode())
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).tobytes())
    return digest.hexdigest()[:16]
