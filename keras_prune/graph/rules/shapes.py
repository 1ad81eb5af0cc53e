"""Operations that only move elements: run on the label arrays themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.rules.base import Rule, register
from keras_prune.graph.rules.common import channel_axis

if TYPE_CHECKING:
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk
    from keras_prune.graph.trace import Call


@register(keras.layers.Flatten)
class FlattenRule(Rule):
    """Channels come last before they are laid out, also where the data has them first."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        labels, shape = walk.of(call.inputs[0]), list(call.inputs[0].shape)
        if len(shape) > 1:
            axis = channel_axis(call.operation)
            labels = np.moveaxis(labels, axis, -1)
            shape.append(shape.pop(axis))
        return _reshape(call, labels, shape)


@register(keras.layers.Reshape)
class ReshapeRule(Rule):
    """One layer has one target shape, so all its calls must shrink alike."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        labels = walk.of(call.inputs[0])
        walk.same_as_first(call, labels)
        return _reshape(call, labels, call.inputs[0].shape)

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        sizes = [cut.size(call.outputs[0], axis) for axis in range(1, len(call.outputs[0].shape))]
        target = [
            -1 if old == -1 else new for old, new in zip(config["target_shape"], sizes, strict=True)
        ]
        return config | {"target_shape": tuple(target)}


def _reshape(call: Call, labels: np.ndarray, old: Sequence[int | None]) -> list[np.ndarray]:
    """Reshapes labels of a tensor of shape `old` to the call's output.

    Axes of unknown length may only be regrouped in front of all channels, never among them.
    """
    shape = arrays.shape_of(call.outputs[0])
    if None not in old[1:]:
        return [arrays.reshape(labels, shape)]
    tail, new_tail = _known_tail(old), _known_tail(call.outputs[0].shape)
    leading = labels.ndim - len(tail)
    inside = any(axis < leading for axis in arrays.varying_axes(labels))
    if inside or math.prod(tail) != math.prod(new_tail):
        raise Unsupported("it regroups an axis of unknown length with channels")
    return [np.broadcast_to(arrays.reshape(labels[(0,) * leading], new_tail), shape)]


def _known_tail(shape: Sequence[int | None]) -> list[int]:
    """The lengths behind the last unknown one."""
    tail: list[int] = []
    for length in reversed(shape):
        if length is None:
            break
        tail.insert(0, length)
    return tail


@register(keras.layers.Permute)
class PermuteRule(Rule):
    """Axes change places."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        return [np.transpose(walk.of(call.inputs[0]), (0, *call.operation.dims))]
