"""A TFLite file, run by LiteRT."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from keras_prune.errors import ModelError
from keras_prune.runtimes.base import Arrays, Port, Runtime, in_order, signature_of
from keras_prune.utils.archives import check_unpacked

_IDENTIFIER = b"TFL3"


class TFLiteRuntime(Runtime):
    """Runs the default signature, or the only one, on the processor.

    Numbers of an integer file are those the model means: floats that come in are quantized, and
    what goes out is dequantized.

    Args:
        path: the `.tflite` file.
        threads: default one.
    """

    kind = "tflite"

    def __init__(self, path: Path, threads: int | None) -> None:
        _check(path)
        self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
        if all(None not in _shape(entry)[1:] for entry in self._interpreter.get_input_details()):
            self._interpreter.allocate_tensors()  # LiteRT greets now, where it is kept quiet
        signature = signature_of(path, self._interpreter.get_signature_list())
        self._run = self._interpreter.get_signature_runner(signature)
        self._incoming = self._run.get_input_details()
        self._outgoing = self._run.get_output_details()
        self.inputs = _ports(self._incoming)
        self.outputs = _ports({name: self._outgoing[name] for name in in_order(self._outgoing)})
        self.metadata = _metadata(path)

    def __call__(self, arrays: Arrays) -> Arrays:
        named = self.named(arrays)
        result = self._run(**{n: _quantized(a, self._incoming[n]) for n, a in named.items()})
        return [_dequantized(result[name], self._outgoing[name]) for name in in_order(result)]


def _ports(tensors: Mapping[str, Any]) -> tuple[Port, ...]:
    return tuple(
        Port(name, _shape(details), np.dtype(details["dtype"]).name)
        for name, details in tensors.items()
    )


def _check(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(8)
    if start[4:] != _IDENTIFIER:
        raise ModelError(f"{path} is not a TFLite file. Give one that a converter has written.")


def _shape(details: Mapping[str, Any]) -> tuple[int | None, ...]:
    return tuple(None if length < 0 else int(length) for length in details["shape_signature"])


def _quantized(array: np.ndarray, details: Mapping[str, Any]) -> np.ndarray:
    scale, zero = details["quantization"]
    if not scale or array.dtype == details["dtype"]:
        return array
    limits = np.iinfo(details["dtype"])
    return np.clip(np.round(array / scale) + zero, limits.min, limits.max).astype(details["dtype"])


def _dequantized(array: np.ndarray, details: Mapping[str, Any]) -> np.ndarray:
    scale, zero = details["quantization"]
    return np.float32(scale) * (array.astype("float32") - zero) if scale else array


def _metadata(path: Path) -> dict[str, str]:
    """The text files packed behind the model, as TFLite's metadata tools place them."""
    if not zipfile.is_zipfile(path):
        return {}
    check_unpacked(path)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".txt")]
        return {name.removesuffix(".txt"): archive.read(name).decode() for name in names}
