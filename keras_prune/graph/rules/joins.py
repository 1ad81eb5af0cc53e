"""Operations that meet several tensors: elementwise joins and concatenation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Pin, Unsupported
from keras_prune.graph.rules.base import Rule, register

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk

layers = keras.layers


@register(
    layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum,
    "keras.src.applications.inception_resnet_v2.CustomScaleLayer",
    "Add", "Arctan2", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Divide", "DivideNoNan", "Equal",
    "FloorDivide", "Fmax", "Fmin", "Fmod", "Greater", "GreaterEqual", "Heaviside", "Hypot",
    "Isclose", "Less", "LessEqual", "Logaddexp", "Logaddexp2", "LogicalAnd", "LogicalOr",
    "LogicalXor", "Maximum", "Minimum", "Mod", "Multiply", "NotEqual", "Power", "Select",
    "Subtract", "TrueDivide", "Where",
)  # fmt: skip
class JoinRule(Rule):
    """Elements meet at their place: channels that meet become one unit.

    A tensor that is broadcast over channels (a gate of one channel) meets all of them at once. One
    unit of them all would be exact but useless, so the gate stays instead. Constants lose what the
    output loses.
    """

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        if any(isinstance(value, keras.Variable) and value.shape for value in call.constants):
            raise Unsupported("a variable of no layer may hold one value per channel")
        parts = [walk.of(tensor) for tensor in call.inputs]
        shape = arrays.shape_of(call.outputs[0])
        if type(call.operation).__name__ == "Add":
            _check_no_bias(call, parts)
        if isinstance(call.operation, layers.Layer) and len({part.ndim for part in parts}) > 1:
            raise Unsupported("it joins tensors of different rank")
        parts = [part.reshape((1,) * (len(shape) - part.ndim) + part.shape) for part in parts]
        met = [part for part in parts if not _pin_gate(part, parts, walk, call)]
        if not met:
            raise Unsupported("all its inputs are broadcast over channels")
        for part in met[1:]:
            walk.unite(met[0], part)
        # All are one now; the part that varies most carries the finest labels.
        finest = max(met, key=lambda part: arrays.core(part).size)
        return [np.broadcast_to(arrays.core(finest), shape)]

    def replay(self, call: Call, operation: Any, args: Any, kwargs: Any, cut: Cut) -> Any:
        def shrunk(value: Any) -> Any:
            return _shrunk(value, call.outputs[0], cut)

        args, kwargs = keras.tree.map_structure(shrunk, (args, kwargs))
        return operation(*args, **kwargs)


@register(layers.Concatenate, "Concatenate")
class ConcatenateRule(Rule):
    """Channels side by side, each its own.

    Along an axis of unknown length, which counts as 1, there is no side by side: what meets there
    is made one.
    """

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        if any(np.ndim(value) for value in call.constants):
            raise Unsupported("a constant lies beside the channels")
        axis: int = call.operation.axis
        parts = [self._part(walk.of(tensor), axis) for tensor in call.inputs]
        shape = arrays.shape_of(call.outputs[0])
        if sum(part.shape[axis] for part in parts) == shape[axis]:
            return [arrays.concatenate(parts, axis)]
        firsts = [arrays.core(part).take([0], axis=axis) for part in parts]
        for part in parts:
            walk.unite(firsts[0], part)
        return [np.broadcast_to(max(firsts, key=np.size), shape)]

    def _part(self, labels: np.ndarray, axis: int) -> np.ndarray:
        return labels


@register("Stack")
class StackRule(ConcatenateRule):
    """Tensors side by side along a new axis."""

    def _part(self, labels: np.ndarray, axis: int) -> np.ndarray:
        return np.expand_dims(labels, axis)


def _check_no_bias(call: Call, parts: list[np.ndarray]) -> None:
    """Makes a barrier of a constant that Keras may add along another axis than its own.

    On TensorFlow Keras adds whatever squeezes to a vector as a bias, along the last axis or axis 1,
    whichever has the vector's length, and a cut changes lengths.
    """
    last = len(call.outputs[0].shape) - 1
    channels_last = all(arrays.varying_axes(part) in ([], [part.ndim - 1]) for part in parts)
    for value in call.constants:
        shape = np.shape(value)
        long = [last + 1 - len(shape) + axis for axis, length in enumerate(shape) if length > 1]
        others = [axis for axis in long if axis != last]
        stays_apart = len(others) > 1 and channels_last
        if others and not stays_apart and (others != [1] or last not in long):
            raise Unsupported("Keras may add the constant as a bias along another axis")


def _shrunk(value: Any, output: keras.KerasTensor, cut: Cut) -> Any:
    """A constant without what the output loses, right-aligned; anything else as it is."""
    if isinstance(value, keras.KerasTensor) or np.ndim(value) == 0:
        return value
    array = keras.ops.convert_to_numpy(value)
    for axis in range(-array.ndim, 0):
        kept = cut.kept(output, axis)
        if not kept.all() and array.shape[axis] == len(kept):
            array = array.compress(kept, axis)
            return array if isinstance(value, np.ndarray) else keras.ops.convert_to_tensor(array)
    return value


def _pin_gate(part: np.ndarray, parts: list[np.ndarray], walk: LabelWalk, call: Call) -> bool:
    """Pins a tensor that is broadcast over all axes others vary on. Returns whether it did.

    One that meets others along one of these axes must shrink with them, so it joins in.
    """
    varying = {axis for other in parts for axis in arrays.varying_axes(other)}
    if not varying or any(part.shape[axis] > 1 for axis in varying):
        return False
    walk.pin(part, Pin(call.name, "a gate that is broadcast over channels"))
    return True
