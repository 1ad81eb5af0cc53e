"""Examples of a model's input: the user's, or made up."""

from collections.abc import Sequence

import keras
import numpy as np

from keras_prune.errors import ExportError
from keras_prune.exporting.settings import Arrays
from keras_prune.graph.samples import drawn

_COUNT = 8
_HIGH = 255  # what is no index is like a pixel


def made_up(model: keras.Model) -> Arrays:
    """Seeded examples, one array per input: as many as a fixed batch holds, else 8.

    Raises:
        ExportError: an input has an open shape.
    """
    rng = np.random.default_rng(0)
    arrays = []
    for tensor in model.inputs:
        shape = tensor.shape[1:]
        if None in shape:
            raise ExportError(
                f"Input {tensor.name!r} has the open shape {shape}: give `batch`, an example of "
                "it, or export a model whose Input has a fixed shape."
            )
        count = tensor.shape[0] or _COUNT
        arrays.append(_typed(drawn(tensor, (count, *shape), _HIGH, rng), tensor))
    return arrays


def given(name: str, examples: np.ndarray | Sequence[np.ndarray], model: keras.Model) -> Arrays:
    """The user's examples as one array per input, in the input's dtype.

    Args:
        name: the argument, for messages.
        examples: an array `(n, *input_shape)`, or one per input.
        model: what they are for.

    Raises:
        ExportError: number or shape of the arrays do not fit the model's inputs.
    """
    several = isinstance(examples, list | tuple)
    arrays = [np.asarray(array) for array in (examples if several else [examples])]
    shapes = [array.shape for array in arrays]
    wanted = [tuple(tensor.shape) for tensor in model.inputs]
    if len(shapes) != len(wanted) or not all(map(_fits, shapes, wanted)) or len(arrays[0]) < 1:
        raise ExportError(
            f"Expected `{name}` of shape {' and '.join(map(_show, wanted))}. Received: "
            f"{' and '.join(map(str, shapes))}."
        )
    return [_typed(a, tensor) for a, tensor in zip(arrays, model.inputs, strict=True)]


def _typed(array: np.ndarray, tensor: keras.KerasTensor) -> np.ndarray:
    """An array in the dtype of an input; strings are objects."""
    return array.astype(object if tensor.dtype == "string" else tensor.dtype)


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    if len(shape) != len(wanted) or shape[0] < (wanted[0] or 1):
        return False
    pairs = zip(shape[1:], wanted[1:], strict=True)
    return all(expected in (None, length) for length, expected in pairs)


def _show(shape: tuple[int | None, ...]) -> str:
    lengths = [
        f"at least {shape[0]}" if shape[0] else "n",
        *("?" if s is None else str(s) for s in shape[1:]),
    ]
    return f"({', '.join(lengths)})"
