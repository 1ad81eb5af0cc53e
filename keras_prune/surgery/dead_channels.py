"""Channels that do nothing any more: nothing reads them, or nothing makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_prune.graph import ChannelGraph, ChannelGroup, Role
from keras_prune.plan import PruningPlan
from keras_prune.surgery.silencing import masked_weights

_OPEN = 32
"""The length of an input's axis that is open."""

Same = Callable[[ChannelGroup, np.ndarray], bool]
"""`(group, mask)`: whether the network computes the same under the mask."""


def without_dead(graph: ChannelGraph) -> PruningPlan:
    """The plan that drops every channel without which the network computes just the same.

    These are the channels whose readers' weights are all zero, and those whose own weights are all
    zero, if what then comes of their bias is zero, too. One channel of a group that is all dead
    stays, for a layer cannot be empty.

    Args:
        graph: a network some of whose weights are zero.
    """
    same = _judge(graph)
    masks = {name: _alive(group, same) for name, group in graph.groups.items()}
    for mask in masks.values():
        mask[0] |= not mask.any()
    return PruningPlan.from_masks(
        graph, {name: mask for name, mask in masks.items() if not mask.all()}
    )


def _alive(group: ChannelGroup, same: Same) -> np.ndarray:
    """Which channels do something, bool of shape `(channels,)`."""
    alive = _touched(group, Role.CONSUMER)
    for channel in np.flatnonzero(alive & ~_touched(group, Role.PRODUCER)):
        mask = np.ones(group.channels, "float32")
        mask[channel] = 0
        alive[channel] = not same(group, mask)
    return alive


def _touched(group: ChannelGroup, role: Role) -> np.ndarray:
    """The channels with a weight other than zero in that role, or with none at all in it."""
    touched, known = np.zeros(group.channels, bool), np.zeros(group.channels, bool)
    for member in group.by_role(role):
        binding, owned = member.binding, member.owner >= 0
        weight = keras.ops.convert_to_numpy(binding.variable) != 0
        others = tuple(axis for axis in range(weight.ndim) if axis != binding.axis)
        np.logical_or.at(touched, member.owner[owned], weight.any(axis=others)[owned])
        known[member.owner[owned]] = True
    return touched | ~known


def _judge(graph: ChannelGraph) -> Same:
    """Compares outputs on one example: a channel without weights is the same for all of them."""
    rng = np.random.default_rng(0)
    example = [
        rng.uniform(0, 1, [1, *(length or _OPEN for length in tensor.shape[1:])])
        for tensor in graph.trace.flat_inputs
    ]
    inputs = keras.tree.pack_sequence_as(graph.trace.inputs, [x.astype("float32") for x in example])
    expected = _outputs(graph.model, inputs)

    def same(group: ChannelGroup, mask: np.ndarray) -> bool:
        weights = masked_weights([group], [keras.ops.array(mask)])
        with keras.StatelessScope(state_mapping=weights):
            found = _outputs(graph.model, inputs)
        return all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))

    return same


def _outputs(model: keras.Model, inputs: Any) -> list[np.ndarray]:
    outputs = keras.tree.flatten(model(inputs, training=False))
    return [keras.ops.convert_to_numpy(tensor) for tensor in outputs]
