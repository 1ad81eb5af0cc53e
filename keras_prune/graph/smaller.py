"""A call as it would be with fewer channels: all that a rule needs to count its work."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras

from keras_prune.graph.axes import Axis
from keras_prune.graph.calls import Call, is_model
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
    """An operation with smaller weights: reads like the one it stands for, and is of its class."""

    def __init__(self, operation: keras.Operation, gone: Mapping[Axis, int]) -> None:
        self._operation = operation
        self._gone = gone

    @property
    def __class__(self) -> type:
        return type(self._operation)

    @__class__.setter
    def __class__(self, kind: type) -> None:
        raise AttributeError("its class is that of the operation it stands for")

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._operation, name)
        if name == "weights":
            return [_symbolic(weight, id(weight), self._gone) for weight in value]
        if isinstance(value, keras.Variable):
            return _symbolic(value, id(value), self._gone)
        if isinstance(value, list):
            return [self._inside(each) for each in value]
        return self._inside(value)

    def _inside(self, value: Any) -> Any:
        is_layer = isinstance(value, keras.Layer) and not is_model(value)  # which loses nothing
        return _Smaller(value, self._gone) if is_layer else value


def _symbolic(
    original: keras.KerasTensor | keras.Variable, owner: int, gone: Mapping[Axis, int]
) -> keras.KerasTensor:
    """A tensor that only has a shape: the original's without what is gone."""
    shape: Sequence[int | None] = [
        length and length - gone.get(Axis(owner, axis), 0)
        for axis, length in enumerate(original.shape)
    ]
    name = getattr(original, "name", None)  # it takes long to find a new one
    tensor: Any = keras.KerasTensor(shape, original.dtype, name=name)
    tensor.path = getattr(original, "path", None)  # by which some layers know their weights
    return tensor
