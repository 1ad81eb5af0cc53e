"""Operations that lay the same elements out in another shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.rules.base import Rule, register
from keras_prune.graph.rules.common import as_output, channel_axis

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk


@register(keras.layers.Flatten)
class FlattenRule(Rule):
    """Channels come last before they are laid out, also where the data has them first."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        labels, shape = walk.of(call.inputs[0]), list(call.inputs[0].shape)
        if len(shape) > 1:
            axis = channel_axis(call.operation)
            labels = np.moveaxis(labels, axis, -1)
            shape.append(shape.pop(axis))
        return [_reshape(labels, shape, call.outputs[0])]


@register(keras.layers.Reshape)
class ReshapeRule(Rule):
    """One layer has one target shape, so all its calls must shrink alike."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        labels = walk.of(call.inputs[0])
        walk.same_as_first(call, labels)
        return [_reshape(labels, call.inputs[0].shape, call.outputs[0])]

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        return config | {"target_shape": _recounted(call, config["target_shape"], cut, first=1)}


@register("Reshape")
class ReshapeOpRule(ReshapeRule):
    """Its new shape counts the batch axis too."""

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        shape = config["newshape"]
        shape = [shape] if isinstance(shape, int) else shape
        return config | {"newshape": _recounted(call, shape, cut, first=0)}


@register("BroadcastTo")
class BroadcastToRule(Rule):
    """Repeats a tensor along axes of length 1 and along new ones in front."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        labels, output = walk.of(call.inputs[0]), call.outputs[0]
        return [as_output(labels[(None,) * (len(output.shape) - labels.ndim)], output)]

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        return config | {"shape": _recounted(call, config["shape"], cut, first=0)}


def _recounted(call: Call, shape: Sequence[int], cut: Cut, first: int) -> tuple[int, ...]:
    """A target shape after a cut: a -1 and the batch's length stay, all else is counted again."""
    return tuple(
        length if length == -1 or axis == 0 else cut.size(call.outputs[0], axis)
        for axis, length in enumerate(shape, start=first)
    )


def _reshape(
    labels: np.ndarray, old: Sequence[int | None], output: keras.KerasTensor
) -> np.ndarray:
    """Reshapes labels of a tensor of shape `old` to those of `output`.

    Only the last axes, from the first that channels vary along, are regrouped: whatever lies before
    them repeats the same labels, also where its length is unknown.
    """
    for first in range(min(arrays.varying_axes(labels), default=labels.ndim), 0, -1):
        lengths = _from(old, first)
        start = None if lengths is None else _tail(output.shape, math.prod(lengths))
        if start is not None:
            last = arrays.reshape(labels[(0,) * first], output.shape[start:])
            return np.broadcast_to(last, arrays.shape_of(output))
    raise Unsupported("it regroups an axis of unknown length with channels")


def _tail(shape: Sequence[int | None], size: int) -> int | None:
    """The last axis from which on a shape holds `size` elements, not the batch's; None if none."""
    for start in range(len(shape), 0, -1):
        lengths = _from(shape, start)
        if lengths is not None and math.prod(lengths) == size:
            return start
    return None


def _from(shape: Sequence[int | None], axis: int) -> list[int] | None:
    """The lengths from an axis on; None if one of them is unknown."""
    known = [length for length in shape[axis:] if length is not None]
    return known if len(known) == len(shape) - axis else None
