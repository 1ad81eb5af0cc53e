"""Examples of the shapes a model takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_prune.errors import DataError


def check_inputs(model: keras.Model, received: Any, split: str) -> None:
    """Refuses data whose shapes a model does not take.

    Args:
        model: the model.
        received: the `tf.TensorSpec`s of a batch, in the structure the data has.
        split: what messages call the data.

    Raises:
        DataError: a shape differs.
    """
    inputs = getattr(model, "inputs", None)
    if not inputs:
        return
    if isinstance(received, Mapping):
        received = [received.get(tensor.name) for tensor in inputs]
    shapes = [spec and spec.shape for spec in keras.tree.flatten(received)]
    expected = [tuple(tensor.shape) for tensor in inputs]
    if len(shapes) != len(expected) or not all(map(_fits, shapes, expected)):
        names = ", ".join(f"{t.name} {tuple(t.shape)}" for t in inputs)
        raise DataError(
            f"The {split} data do not fit the inputs of model {model.name!r}: expected {names}. "
            f"Received: {', '.join(map(str, shapes))}. Give batches of the shape the model takes."
        )


def _fits(received: tf.TensorShape | None, expected: tuple[int | None, ...]) -> bool:
    if received is None:
        return False
    if received.rank is None:  # a generator need not tell
        return True
    if len(received) not in (len(expected), len(expected) - 1):
        return False
    if len(received) < len(expected):  # Keras adds a last axis of one
        return expected[-1] == 1
    return all(None in (a, b) or a == b for a, b in zip(received[1:], expected[1:], strict=True))
