"""A model in a file: its description, and its weights without their zeros, entropy-coded."""

import json
import math
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_prune.errors import ConfigError, ExportError, KerasPruneError, ModelError
from keras_prune.packing.encodings import Encoded, decode, encode, value_bytes
from keras_prune.packing.sharing import shared
from keras_prune.utils.archives import check_bytes, check_unpacked
from keras_prune.utils.arguments import expect_kind
from keras_prune.utils.files import whole_file
from keras_prune.utils.limited_variables import limited_variables
from keras_prune.utils.long_networks import long_networks
from keras_prune.utils.reasons import reason
from keras_prune.utils.registered import register

_FORMAT = "keras-prune packed model 1"


@dataclass(frozen=True)
class Packed:
    """What was written.

    Args:
        path: the file.
        bytes: its size.
        dense_bytes: the size of the model's weights as they are.
        max_abs_error: largest absolute difference between a weight of the model and of the file; 0
            unless values are shared.
    """

    path: str
    bytes: int
    dense_bytes: int
    max_abs_error: float


def pack(model: keras.Model, path: str | Path, *, values: int | None = None) -> Packed:
    """Writes a model without its weights' zeros; `unpack` restores it.

    Each weight is stored whole, as a bit per number, or as the gaps between the numbers that are
    not zero, whichever is shortest; all of it is compressed by LZMA. It is a file to store and to
    send: what is unpacked computes as fast as the model does.

    Args:
        model: a built model; it is not changed.
        path: where to write; what is there is replaced.
        values: round the numbers of each kernel to so many shared values, 2 to 256, which makes the
            file several times smaller; zeros stay zeros. Default: every number stays what it is.

    Returns:
        Path, sizes, and what sharing changed.

    Raises:
        ConfigError: `values` is no whole number from 2 to 256.
        ExportError: the place cannot be written.

    Example:

    >>> import os, tempfile
    >>> model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(50)])
    >>> path = os.path.join(tempfile.mkdtemp(), "model.kpz")
    >>> _ = model.layers[0].kernel.assign(np.eye(100, 50))
    >>> packed = pack(model, path)
    >>> packed.dense_bytes, packed.bytes < 2000
    (20200, True)
    >>> bool((unpack(path).layers[0].kernel.numpy() == np.eye(100, 50)).all())
    True

    Reference: Han, Mao and Dally, "Deep Compression", ICLR 2016.
    """
    expect_kind(model, keras.Model, "model", "a Keras model")
    if values is not None and (isinstance(values, bool) or not 2 <= values <= 256):
        raise ConfigError(f"values: expected a whole number from 2 to 256. Received: {values!r}.")
    arrays = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    parts, worst = [], 0.0
    for array in arrays:
        rounded, codebook = _rounded(array, values)
        parts.append(encode(rounded, codebook))
        if codebook is not None:
            worst = max(worst, float(np.max(np.abs(rounded - array))))
    _write(Path(path), model, arrays, parts)
    dense = sum(array.nbytes for array in arrays)
    return Packed(str(path), Path(path).stat().st_size, dense, worst)


def unpack(path: str | Path) -> keras.Model:
    """The model that `pack` wrote, uncompiled.

    Args:
        path: the file.

    Raises:
        ModelError: the file is missing, damaged or of another kind, or the model holds a class that
            is not registered with Keras.
    """
    if not Path(path).is_file():
        raise ModelError(f"Packed model {path} does not exist.")
    try:
        check_unpacked(Path(path))
        with zipfile.ZipFile(path) as archive:
            index = json.loads(archive.read("weights.json"))
            if index["format"] != _FORMAT:
                raise ValueError(index["format"])
            stored = sum(map(_bytes, index["weights"]))
            check_bytes(Path(path), stored)
            described = archive.read("model.json").decode()
            register(described)
            description = json.loads(described)
            with limited_variables(Path(path), stored), long_networks():
                model = keras.saving.deserialize_keras_object(description)
            shapes = [tuple(note["shape"]) for note in index["weights"]]
            if shapes != [tuple(weight.shape) for weight in model.weights]:
                raise ValueError("its weights are not those of its model")
            model.set_weights(list(_arrays(index, *map(archive.read, ("positions", "values")))))
    except KerasPruneError:
        raise
    except Exception as error:  # whatever a damaged or foreign file leads zip, JSON and Keras to
        why = reason(error, first_line=True)
        raise ModelError(f"{path} is no packed model, or is damaged: {why}.") from error
    return model


def _rounded(array: np.ndarray, values: int | None) -> tuple[np.ndarray, np.ndarray | None]:
    """A weight and its codebook; what has one axis, like a bias, is small and stays exact."""
    if values is None or array.ndim < 2 or not array.any():
        return array, None
    return shared(array, values)


def _write(
    path: Path, model: keras.Model, arrays: Iterable[np.ndarray], parts: list[Encoded]
) -> None:
    entries = [
        {"shape": array.shape, "dtype": array.dtype.name, "positions": len(part.positions)}
        | part.note
        for array, part in zip(arrays, parts, strict=True)
    ]
    description = keras.saving.serialize_keras_object(model)
    description.pop("compile_config", None)
    content = {
        "model.json": json.dumps(description).encode(),
        "weights.json": json.dumps({"format": _FORMAT, "weights": entries}).encode(),
        "positions": b"".join(part.positions for part in parts),
        "values": b"".join(part.values for part in parts),
    }
    try:
        with whole_file(path) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_LZMA) as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    except OSError as error:
        raise ExportError(f"Cannot write {path}: {error.strerror or error}.") from error


def _bytes(note: dict[str, Any]) -> int:
    return math.prod(note["shape"]) * np.dtype(note["dtype"]).itemsize


def _arrays(index: dict[str, Any], positions: bytes, values: bytes) -> Iterator[np.ndarray]:
    for note in index["weights"]:
        dtype, length = np.dtype(note["dtype"]), note["positions"]
        size = value_bytes(note, dtype)
        yield decode(Encoded(positions[:length], values[:size], note), tuple(note["shape"]), dtype)
        positions, values = positions[length:], values[size:]
