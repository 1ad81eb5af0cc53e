"""Operations that regroup channels block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.rules.base import Rule, register
from keras_prune.graph.rules.common import channel_axis

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.labels import LabelWalk


@register("DepthToSpace")
class DepthToSpaceRule(Rule):
    """Blocks of channels become rows and columns: channel *c* of every block leaves together."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        blocks = walk.channels(call.inputs[0], _last(call)).reshape(_block(call), -1)
        walk.unions.unite(blocks, blocks[:1])
        return [arrays.spread(blocks[0], arrays.shape_of(call.outputs[0]), -1)]


@register("SpaceToDepth")
class SpaceToDepthRule(Rule):
    """Rows and columns become blocks of channels: each block holds all channels."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        labels = np.tile(walk.channels(call.inputs[0], _last(call)), _block(call))
        return [arrays.spread(labels, arrays.shape_of(call.outputs[0]), -1)]


@register("Glu")
class GluRule(Rule):
    """One half gates the other: position *p* of both halves leaves together."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        axis = call.operation.axis
        halves = walk.channels(call.inputs[0], axis).reshape(2, -1)
        walk.unions.unite(halves[0], halves[1])
        return [arrays.spread(halves[0], arrays.shape_of(call.outputs[0]), axis)]


def _block(call: Call) -> int:
    """How many positions of an image a block of channels holds."""
    return int(call.operation.block_size) ** 2


def _last(call: Call) -> int:
    """The channel axis, where it is the last: with channels first backends order blocks apart."""
    if channel_axis(call.operation) != -1:
        raise Unsupported("its order of channels depends on the backend")
    return -1
