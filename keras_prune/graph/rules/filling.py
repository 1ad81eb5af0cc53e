"""Operations that put constants beside a tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.rules.base import Rule, register
from keras_prune.graph.rules.common import as_output

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk


@register("Pad")
class PadRule(Rule):
    """A constant beside the channels gets labels of its own, and leaves with what it joins.

    In `pad(x, channels) + conv(y)` some channels of the convolution meet zeros only.
    """

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        if any(np.size(value) > 1 for value in call.constants):
            raise Unsupported("an argument that is an array may hold one value per channel")
        tensor = call.inputs[0]
        small = labels = arrays.core(walk.of(tensor))
        for axis, (before, after) in enumerate(_pads(call.operation, small.ndim)):
            if before == after == 0 or _repeats(small, axis) or tensor.shape[axis] is None:
                continue
            if call.operation.mode != "constant":
                raise Unsupported(f"it fills channels in mode {call.operation.mode!r}")
            labels = _beside(walk, labels, axis, tensor.shape[axis], before, after)
        return [as_output(labels, call.outputs[0])]

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        pads = _pads(call.operation, len(call.outputs[0].shape))
        for axis, (before, after) in enumerate(pads):
            kept = cut.kept(call.outputs[0], axis)
            if not kept.all():
                last = len(kept) - after
                pads[axis] = (int(kept[:before].sum()), int(kept[last:].sum()))
                return config | {"pad_width": pads}
        return config


def _pads(operation: Any, rank: int) -> list[tuple[int, int]]:
    """How many positions come before and after each axis."""
    pads = [(int(before), int(after)) for before, after in operation.pad_width]
    return pads * rank if len(pads) == 1 else pads


def _repeats(small: np.ndarray, axis: int) -> bool:
    """Whether what lies beside an axis may carry the labels of the axis itself.

    It may where channels lie along another axis; in a tensor of one label that is the last.
    """
    return small.shape[axis] == 1 and (small.size > 1 or axis != small.ndim - 1)


def _beside(
    walk: LabelWalk, labels: np.ndarray, axis: int, length: int, before: int, after: int
) -> np.ndarray:
    """Labels with fresh ones before and after them along an axis."""
    shape = list(labels.shape)
    shape[axis] = length
    parts = [np.broadcast_to(labels, shape)]
    for place, count in ((0, before), (2, after)):
        shape[axis] = count
        parts.insert(place, walk.unions.fresh(int(np.prod(shape))).reshape(shape))
    return np.concatenate(parts, axis)
