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
        labels = walk.of(call.inputs[0])
        last = np.moveaxis(labels, channel_axis(call.operation), -1) if labels.ndim > 1 else labels
        return [arrays.reshape(last, arrays.shape_of(call.outputs[0]))]


@register(keras.layers.Reshape)
class ReshapeRule(Rule):
    """One layer has one target shape, so all its calls must shrink alike."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        labels = walk.of(call.inputs[0])
        walk.same_as_first(call, labels)
        _check_unknown_lengths(call, labels)
        return [arrays.reshape(labels, arrays.shape_of(call.outputs[0]))]

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        sizes = [cut.size(call.outputs[0], axis) for axis in range(1, len(call.outputs[0].shape))]
        target = [
            -1 if old == -1 else new
            for old, new in zip(config["target_shape"], sizes, strict=True)
        ]
        return config | {"target_shape": tuple(target)}


def _check_unknown_lengths(call: Call, labels: np.ndarray) -> None:
    """Axes of unknown length may only be regrouped in front of all channels, never among them."""
    old, new = call.inputs[0].shape[1:], call.outputs[0].shape[1:]
    if None not in old:
        return
    known_old, known_new = _known_tail(old), _known_tail(new)
    leading = arrays.varying_axes(labels)[:1]
    inside = leading and leading[0] < labels.ndim - len(known_old)
    if inside or math.prod(known_old) != math.prod(known_new):
        raise Unsupported("it regroups an axis of unknown length with channels")


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
