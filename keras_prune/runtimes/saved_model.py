"""A SavedModel directory, run by TensorFlow without Keras."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_prune.runtimes.base import Arrays, Port, Runtime, in_order, signature_of
from keras_prune.runtimes.tensorflow_threads import limit_tensorflow
from keras_prune.utils.files import read_text

METADATA = "assets.extra"
"""The folder a SavedModel keeps for what TensorFlow itself does not read."""


class SavedModelRuntime(Runtime):
    """Runs the default signature, or the only one.

    Args:
        path: the directory.
        threads: of TensorFlow; default as many as there are cores.
    """

    kind = "saved_model"

    def __init__(self, path: Path, threads: int | None) -> None:
        limit_tensorflow(threads)
        self._loaded = tf.saved_model.load(str(path))  # its functions do not own it
        signatures = self._loaded.signatures
        self._serve = signatures[signature_of(path, signatures)]
        results = self._serve.structured_outputs
        self.inputs = _ports(self._serve.structured_input_signature[1])
        self.outputs = _ports({name: results[name] for name in in_order(results)})
        files = sorted((path / METADATA).glob("*.txt"))
        self.metadata = {file.stem: read_text(file) for file in files}

    def __call__(self, arrays: Arrays) -> Arrays:
        named = {name: tf.convert_to_tensor(array) for name, array in self.named(arrays).items()}
        result = self._serve(**named)
        return [result[port.name].numpy() for port in self.outputs]


def _ports(specs: Mapping[str, Any]) -> tuple[Port, ...]:
    return tuple(Port(name, tuple(spec.shape), spec.dtype.name) for name, spec in specs.items())
