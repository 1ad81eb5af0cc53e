"""A user's file as a Keras model, or as a classifier of images."""

import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import keras

from keras_prune.errors import KerasPruneError, ModelError
from keras_prune.graph import trace
from keras_prune.packing import unpack
from keras_prune.utils.archives import (
    check_hdf5,
    check_unpacked,
    check_weights,
)
from keras_prune.utils.labels import told_apart
from keras_prune.utils.limited_variables import limited_variables
from keras_prune.utils.long_networks import long_networks
from keras_prune.utils.model_files import WEIGHTS_ALONE, check_layers, is_hdf5
from keras_prune.utils.reasons import reason
from keras_prune.utils.registered import register

Lengths = tuple[int | None, ...]
"""A shape; None is a length that is open."""


def load_model(path: str | Path) -> keras.Model:
    """Loads a Keras model.

    Args:
        path: a `.keras` file, a `.kpz` file as `pack` writes it, or a whole model as `.h5`.

    Returns:
        The model, uncompiled.

    Raises:
        ModelError: the file is missing, damaged or not a Keras file, or holds a class of the user's
            that is not registered with Keras.
    """
    path = Path(path)
    if path.suffix == ".kpz" and path.is_file():
        return unpack(path)
    check_layers(path)
    try:
        with limited_variables(path, _checked(path)), long_networks():
            return keras.models.load_model(path, compile=False)
    except KerasPruneError:
        raise
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
    if num_classes != 2 or [tuple(x.shape[1:]) for x in traced.flat_outputs] != [(1,)]:
        _check(path, "number of classes", traced.flat_outputs, (num_classes,))
    return model


def classifier_shape(path: str | Path, model: keras.Model) -> tuple[tuple[int, int, int], int]:
    """`(height, width, channels)` and the number of classes of a classifier of images.

    Args:
        path: what messages call the model.
        model: the model; what is no such classifier is refused as in `image_classifier`.
    """
    if hasattr(model, "outputs"):
        sides = model.inputs, model.outputs
    else:
        traced = trace(model)
        sides = traced.flat_inputs, traced.flat_outputs
    inputs, outputs = ([tensor.shape[1:] for tensor in side] for side in sides)
    return image_classifier(path, inputs, outputs)


def check_classes(path: str | Path, classes: int, expected: int) -> None:
    """Refuses a model that tells another number of classes apart than the data set has.

    Raises:
        ModelError: the numbers differ.
    """
    if classes != expected:
        raise ModelError(
            f"{path} does not fit the data set: expected number of classes {expected}. "
            f"Received: {classes}."
        )


def image_classifier(
    path: str | Path, inputs: Iterable[Lengths], outputs: Iterable[Lengths]
) -> tuple[tuple[int, int, int], int]:
    """What a model takes and tells apart, if it classifies images.

    Args:
        path: what messages call the model.
        inputs: the shapes of its inputs, without the batch axis.
        outputs: the shapes of its outputs, likewise.

    Returns:
        `(height, width, channels)` and the number of classes. One score tells two of them apart: it
        is the probability of the second.

    Raises:
        ModelError: it has several inputs or outputs, no image of one fixed size as input, or no
            scores as output.

    Example:

    >>> image_classifier("model.keras", [(28, 28, 1)], [(10,)])
    ((28, 28, 1), 10)
    """
    shapes = [*inputs], [*outputs]
    match shapes:
        case [(int(height), int(width), (1 | 3) as channels)], [(int(scores),)] if (
            height > 0 and width > 0 and scores > 0
        ):
            return (height, width, channels), told_apart(scores)
    takes, gives = (" and ".join(map(str, side)) for side in shapes)
    raise ModelError(
        f"{path} does not classify images: expected one input (height, width, channels) of fixed "
        "size with 1 or 3 channels, and one output of scores for classes. "
        f"Received: input {takes}, output {gives}."
    )


def _checked(path: Path) -> int:
    """How many bytes the weights in a file take, which are no more than expected."""
    if is_hdf5(path):
        return check_hdf5(path, path)
    check_unpacked(path)
    _register_classes(path)
    return check_weights(path)


def _register_classes(path: Path) -> None:
    """Registers what a file names of this package."""
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json").decode()
    json.loads(config)  # what is nested too deeply ends here: its reader needs the stack
    register(config)


def _reason(error: Exception) -> str:
    """What Keras says in one line; for a class it does not know, what to do."""
    unknown = re.search(r"Could not locate (?:class|function) '([^']+)'", str(error))
    if unknown:
        return (
            f"{unknown[1]!r} is not registered. Import the module that defines it first (on the "
            "command line: --import MODULE), there decorated with "
            "@keras.saving.register_keras_serializable()."
        )
    if "No model config found" in str(error):
        return f"the file {WEIGHTS_ALONE}"
    return reason(error, first_line=True)


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


def _show(shape: Lengths) -> str:
    return str(shape[0]) if len(shape) == 1 else str(shape)
