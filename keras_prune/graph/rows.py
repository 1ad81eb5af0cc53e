"""How many rows of the batch one example is, where windows or steps were folded into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import keras

from keras_prune.graph.calls import Call

_EXAMPLES = 5040  # in the batch that is tried: a number that most numbers of rows divide


class Placed(NamedTuple):
    """A tensor of a call and how many rows of its batch one example is.

    Args:
        tensor: with the shape it has there.
        rows: None if that is not known.
    """

    tensor: keras.KerasTensor
    rows: Fraction | None = Fraction(1)


def batch_of(inputs: Sequence[keras.KerasTensor]) -> int | None:
    """The number of examples that a model was built for; None where it takes any."""
    return next((tensor.shape[0] for tensor in inputs if tensor.shape and tensor.shape[0]), None)


def most(tensors: Iterable[Placed]) -> Fraction | None:
    """The most rows of some tensors; None if those of one are not known."""
    rows = [each.rows for each in tensors]
    return None if None in rows else max(filter(None, rows), default=Fraction(1))


def placed(
    call: Call, inputs: Sequence[Placed], outputs: Sequence[keras.KerasTensor], batch: int | None
) -> list[Placed]:
    """What a call returns, with the rows of each tensor.

    Args:
        call: the call as it was traced, whose arguments are these.
        inputs: what it is called with.
        outputs: what it returns.
        batch: the number of examples that the model was built for.
    """
    if batch is not None:
        return [Placed(tensor, _of_fixed(tensor, batch)) for tensor in outputs]
    if most(inputs) is None:
        return [Placed(tensor, None) for tensor in outputs]
    examples = [each for each in inputs if _is_of_any_batch(each.tensor)]
    if not examples:
        return [Placed(tensor, _of_fixed(tensor, 1)) for tensor in outputs]
    if _keeps_rows(call.operation):
        rows = most(examples)
        return [Placed(tensor, rows if _is_of_any_batch(tensor) else None) for tensor in outputs]
    try:
        made = _at_a_size(call, inputs)
    except Exception:  # it takes no batch of that size
        return [Placed(tensor, None) for tensor in outputs]
    pairs = zip(outputs, made, strict=True)
    return [Placed(tensor, _found(call, tensor, sized)) for tensor, sized in pairs]


def _found(call: Call, tensor: keras.KerasTensor, sized: keras.KerasTensor) -> Fraction | None:
    """The rows of an output, of which it is known how many there are for some examples."""
    if _is_of_any_batch(tensor):
        return _of_fixed(sized, _EXAMPLES)
    makes_constants = isinstance(call.operation, keras.Layer)  # an op has lost the examples
    return _of_fixed(sized, 1) if makes_constants else None


def _at_a_size(call: Call, inputs: Sequence[Placed]) -> list[keras.KerasTensor]:
    """What the call returns for a batch of some examples; shapes only, nothing is computed."""
    sized = {}
    for built, (tensor, rows) in zip(call.inputs, inputs, strict=True):
        if _is_of_any_batch(tensor) and rows is not None:
            shape = (int(rows * _EXAMPLES), *tensor.shape[1:])
            tensor = keras.KerasTensor(shape, tensor.dtype)
        sized[id(built)] = tensor
    args, kwargs = call.arguments(sized)
    return keras.tree.flatten(call.operation.compute_output_spec(*args, **kwargs))


def _of_fixed(tensor: keras.KerasTensor, examples: int) -> Fraction | None:
    """The rows of one of so many examples."""
    if not tensor.shape:
        return Fraction(1)
    return None if tensor.shape[0] is None else Fraction(tensor.shape[0], examples)


def _is_of_any_batch(tensor: keras.KerasTensor) -> bool:
    return bool(tensor.shape) and tensor.shape[0] is None


def _keeps_rows(operation: keras.Operation) -> bool:
    """Whether an operation is a layer of Keras, which leaves the batch as it is."""
    own = isinstance(operation, keras.Layer) and type(operation).__module__.startswith("keras.")
    return own and not isinstance(operation, keras.layers.Lambda)
