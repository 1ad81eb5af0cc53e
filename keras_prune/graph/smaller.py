"""A call as it would be with fewer channels: all that a rule needs to count its work."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras

from keras_prune.graph.axes import Axis
from keras_prune.graph.calls import Call
from keras_prune.graph.nested import LocatedCall


def smaller(located: LocatedCall, gone: Mapping[Axis, int]) -> Call:
    """The call without some positions of its tensors and weights; nothing is built."""
    call, traced = located.call, located.traced

    def shrunk(
        tensors: Iterable[keras.KerasTensor], known: Iterable[keras.KerasTensor]
    ) -> tuple[keras.KerasTensor, ...]:
        pairs = zip(tensors, known, strict=True)
        return tuple(_symbolic(tensor, id(old), gone) for tensor, old in pairs)

    operation: Any = _Smaller(call.operation, gone)
    return replace(
        call,
        operation=operation,
        inputs=shrunk(call.inputs, traced.inputs),
        outputs=shrunk(call.outputs, traced.outputs),
    )


class _Smaller:
    """An operation with smaller weights: reads like the one it stands for."""

    def __init__(self, operation: keras.Operation, gone: Mapping[Axis, int]) -> None:
        self._operation = operation
        self._gone = gone

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._operation, name)
        if isinstance(value, keras.Variable):
            return _symbolic(value, id(value), self._gone)
        return value


def _symbolic(
    original: keras.KerasTensor | keras.Variable, owner: int, gone: Mapping[Axis, int]
) -> keras.KerasTensor:
    """A tensor that only has a shape: the original's without what is gone."""
    shape: Sequence[int | None] = [
        length and length - gone.get(Axis(owner, axis), 0)
        for axis, length in enumerate(original.shape)
    ]
    return keras.KerasTensor(shape, original.dtype)
