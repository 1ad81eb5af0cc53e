"""A user's `.keras` file as a model, or as a classifier for given images."""

import re
import zipfile
from pathlib import Path

import keras

from keras_prune.errors import ModelError
from keras_prune.graph import trace


def load_model(path: str | Path) -> keras.Model:
    """Loads a Keras model.

    Args:
        path: a `.keras` file.

    Returns:
        The model, uncompiled.

    Raises:
        ModelError: the file is missing, damaged or not a Keras file, or holds a class of the user's
            that is not registered with Keras.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"Model file {path} does not exist. Give a .keras file.")
    if not zipfile.is_zipfile(path):
        raise ModelError(
            f"{path} is not a Keras file, or is damaged. Give a model saved as .keras."
        )
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever a damaged or foreign archive leads it to
        raise ModelError(f"Keras cannot load {path}: {_reason(error)}") from error


def load_classifier(
    path: str | Path, input_shape: tuple[int, ...], num_classes: int
) -> keras.Model:
    """Loads a Keras model and checks that it fits the data.

    Args:
        path: a `.keras` file.
        input_shape: `(height, width, channels)` of the images.
        num_classes: classes of the data.

    Returns:
        The model, uncompiled.

    Raises:
        ModelError: the file is missing, damaged or not a Keras file, or its model takes other
            images or tells other classes apart, or cannot be traced.
    """
    path, model = Path(path), load_model(path)
    traced = trace(model)
    _check(path, "input shape", traced.flat_inputs, tuple(input_shape))
    _check(path, "number of classes", traced.flat_outputs, (num_classes,))
    return model


def _reason(error: Exception) -> str:
    """What Keras says in one line; for a class it does not know, what to do."""
    unknown = re.search(r"Could not locate (?:class|function) '([^']+)'", str(error))
    if unknown:
        return (
            f"{unknown[1]!r} is not registered. Import the module that defines it first, there "
            "decorated with @keras.saving.register_keras_serializable()."
        )
    return str(error).strip().split("\n")[0][:200] or type(error).__name__


def _check(
    path: Path, what: str, tensors: list[keras.KerasTensor], expected: tuple[int, ...]
) -> None:
    shapes = [tuple(tensor.shape[1:]) for tensor in tensors]
    if (
        len(shapes) != 1
        or len(shapes[0]) != len(expected)
        or any(
            length not in (None, wanted) for length, wanted in zip(shapes[0], expected, strict=True)
        )
    ):
        raise ModelError(
            f"{path} does not fit the data set: expected {what} {_show(expected)}. "
            f"Received: {' and '.join(map(_show, shapes))}."
        )


def _show(shape: tuple[int | None, ...]) -> str:
    return str(shape[0]) if len(shape) == 1 else str(shape)
