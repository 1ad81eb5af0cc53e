"""One class per format: how it is written, and how what was written is run."""

from abc import ABC, abstractmethod
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_prune.errors import ExportError

Arrays = list[np.ndarray]


class Format(ABC):
    """A file format a model can be written in.

    Args:
        name: what messages and reports call it.
        float32: the file computes in float32 even where the model has a lower compute precision.
    """

    name: str
    float32: bool

    @abstractmethod
    def write(self, model: keras.Model, path: Path) -> None:
        """Writes the model to a path that does not exist yet."""

    @abstractmethod
    def run(self, path: Path, model: keras.Model, batch: Arrays) -> Arrays:
        """Loads what `write` wrote and computes the outputs of a batch, one array per input."""


class KerasFile(Format):
    """A plain `.keras` file."""

    name = "keras"
    float32 = False

    def write(self, model: keras.Model, path: Path) -> None:
        model.save(path)

    def run(self, path: Path, model: keras.Model, batch: Arrays) -> Arrays:
        return outputs(keras.models.load_model(path, compile=False), batch)


class SavedModel(Format):
    """A TensorFlow SavedModel directory with the endpoint `serve`, also its default signature.

    Written by hand because `keras.Model.export` stores every weight twice on the TensorFlow backend
    (keras-team/keras#23553), which would undo a pruning by half.
    """

    name = "saved_model"
    float32 = True

    def write(self, model: keras.Model, path: Path) -> None:
        module = tf.Module()
        module.kept = [variable.value for variable in model.variables]  # what is found is saved
        specs = [tf.TensorSpec(tensor.shape, tensor.dtype, tensor.name) for tensor in model.inputs]
        module.serve = tf.function(
            lambda *inputs: model(inputs if len(inputs) > 1 else inputs[0], training=False),
            input_signature=specs,
        )
        tf.saved_model.save(module, str(path), signatures=module.serve)

    def run(self, path: Path, model: keras.Model, batch: Arrays) -> Arrays:
        loaded = tf.saved_model.load(str(path))  # kept in a name: its functions do not own it
        return _flat(loaded.serve(*batch))


class TFLite(Format):
    """A TFLite flat buffer with float32 weights and the signature `serving_default`."""

    name = "tflite"
    float32 = True

    def write(self, model: keras.Model, path: Path) -> None:
        path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())

    def run(self, path: Path, model: keras.Model, batch: Arrays) -> Arrays:
        runner = interpreter(path).get_signature_runner("serving_default")
        # The signature lists its inputs by name, the model in its own order.
        names = [tensor.name for tensor in model.inputs]
        if len(names) == 1:
            names = list(runner.get_input_details())
        result = runner(**dict(zip(names, batch, strict=True)))
        return [np.asarray(result[f"output_{i}"]) for i in range(len(result))]


_FORMATS: dict[str, Format] = {".keras": KerasFile(), ".tflite": TFLite(), "": SavedModel()}


def outputs(model: keras.Model, batch: Arrays) -> Arrays:
    """The model's outputs in inference mode, as a flat list of arrays."""
    return _flat(model(batch if len(batch) > 1 else batch[0], training=False))


def format_of(path: Path) -> Format:
    """The format a path asks for: by suffix, a path without one is a SavedModel directory.

    Raises:
        ExportError: the suffix is none of the known ones.
    """
    if path.suffix not in _FORMATS:
        raise ExportError(
            f"Unknown format {path.suffix!r} of {path}. Use a path ending in .tflite or .keras, "
            "or one without a suffix for a SavedModel directory."
        )
    return _FORMATS[path.suffix]


def _flat(tree: Any) -> Arrays:
    return [keras.ops.convert_to_numpy(tensor) for tensor in keras.tree.flatten(tree)]


def interpreter(path: Path) -> Any:
    """LiteRT's interpreter where it is installed, for TensorFlow is about to drop its own."""
    try:
        litert = import_module("ai_edge_litert.interpreter")
    except ImportError:
        litert = tf.lite
    return litert.Interpreter(model_path=str(path))
