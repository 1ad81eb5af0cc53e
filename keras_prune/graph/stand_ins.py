"""Symbolic tensors in the place of a layer's weights, and of numbers that layers inside it read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.calling import call_inside, is_foreign
from keras_prune.graph.calls import is_model, own_stores, sublayers


class Constants:
    """Numbers that layers are called with, each the same symbolic tensor whenever it is met.

    Attributes:
        known: these tensors, beside others that come from outside.
        values: the tensor and its numbers, by `id` of the tensor.
    """

    def __init__(self) -> None:
        self.known: list[keras.KerasTensor] = []
        self.values: dict[int, tuple[keras.KerasTensor, np.ndarray]] = {}

    def symbolic(self, value: Any) -> Any:
        """The tensor for some numbers; anything else as it is."""
        if isinstance(value, keras.KerasTensor) or not hasattr(value, "shape"):
            return value
        try:
            numbers = keras.ops.convert_to_numpy(value)
        except Exception:  # numbers of a trace of the backend's own
            return value
        for tensor, known in self.values.values():
            if known.dtype == numbers.dtype and np.array_equal(known, numbers):
                return tensor
        tensor = keras.Input(batch_shape=numbers.shape, dtype=str(numbers.dtype))
        arrays.mark_batchless(tensor)
        self.values[id(tensor)] = tensor, numbers
        self.known.append(tensor)
        return tensor


@contextlib.contextmanager
def symbolic(
    layer: keras.Layer,
) -> Iterator[tuple[dict[int, tuple[keras.KerasTensor, keras.Variable]], Constants]]:
    """Puts a symbolic tensor in the place of each weight that a user's code may read.

    These are the attributes of the layer and of those inside that no rule knows. Of the latter the
    `call` is run, so that what they call is seen as well, and they may return what is no tensor.
    Other layers inside that are called with numbers alone get symbolic tensors for these.
    """
    constants = Constants()
    found: dict[int, tuple[keras.KerasTensor, keras.Variable]] = {}
    stands_for: dict[int, keras.KerasTensor] = {}

    def stand_in(value: Any, owner: Any) -> Any:
        if isinstance(value, keras.Variable):
            if id(value) not in stands_for:
                dtype = value.dtype if value.dtype != owner.variable_dtype else owner.compute_dtype
                shape = tuple(value.shape)
                tensor = keras.Input(batch_shape=shape or (1,), dtype=dtype)
                arrays.mark_batchless(tensor)
                found[id(tensor)] = tensor, value
                stands_for[id(value)] = tensor if shape else keras.ops.squeeze(tensor)
            return stands_for[id(value)]
        if isinstance(value, dict):
            return {key: stand_in(each, owner) for key, each in value.items()}
        if isinstance(value, list | tuple) and any(map(_holds_weight, value)):
            return [stand_in(each, owner) for each in value]
        return value

    with contextlib.ExitStack() as undo:
        for owner in sublayers(layer):
            attributes: dict[str, Any] = vars(owner)
            if type(owner) is keras.layers.EinsumDense:
                attributes["compute_output_spec"] = partial(_spec_of_product, owner)
                undo.callback(attributes.pop, "compute_output_spec")
            foreign = is_foreign(owner)
            if owner is not layer and (foreign or (owner.weights and not is_model(owner))):
                kind = type(owner)
                undo.callback(object.__setattr__, owner, "__class__", kind)
                calling = _opened(kind) if foreign else _asked(kind, constants)
                object.__setattr__(owner, "__class__", calling)
            if not foreign:
                continue
            for name, value in list(attributes.items()):
                if _holds_weight(value) and not any(value is store for store in own_stores(owner)):
                    undo.callback(attributes.__setitem__, name, value)
                    attributes[name] = stand_in(value, owner)
        yield found, constants


def _spec_of_product(layer: Any, tensor: keras.KerasTensor) -> keras.KerasTensor:
    """What an EinsumDense makes; lengths that its config leaves open are those of its input."""
    made = type(layer).compute_output_spec(layer, tensor)
    read, written = layer.equation.replace(" ", "").split("->")
    read = read.split(",")[0]
    if "." in layer.equation:
        return made
    lengths = dict(zip(read, tensor.shape, strict=True))
    pairs = zip(written, made.shape, strict=True)
    return keras.KerasTensor([n or lengths.get(letter) for letter, n in pairs], made.dtype)


def _opened(kind: type) -> type:
    """The class of layers that run their `call` on symbolic tensors instead of a call of theirs."""

    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        return call_inside(self, args, kwargs)

    return _called_by(kind, run)


def _asked(kind: type, constants: Constants) -> type:
    """The class of layers that are called with symbolic tensors, also where there are none."""

    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = keras.tree.flatten((args, kwargs))
        if not any(isinstance(value, keras.KerasTensor) for value in given):
            args, kwargs = keras.tree.map_structure(constants.symbolic, (args, kwargs))
        return kind.__call__(self, *args, **kwargs)

    return _called_by(kind, run)


def _called_by(kind: type, run: Callable[..., Any]) -> type:
    """A class that is another one but for how its layers are called."""
    return type(kind.__name__, (kind,), {"__call__": run, "__module__": kind.__module__})


def _holds_weight(value: Any) -> bool:
    """Whether a value is a weight, or a list or dict of some."""
    if isinstance(value, dict):
        return any(map(_holds_weight, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_weight, value))
    return isinstance(value, keras.Variable)
