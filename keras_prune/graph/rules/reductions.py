"""Operations that gather or run along axes: exact along any that channels do not lie on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.rules.base import Rule, register
from keras_prune.graph.rules.common import as_output

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.labels import LabelWalk


@register(
    "All", "Amax", "Amin", "Any", "Argmax", "Argmin", "CountNonzero", "Logsumexp", "Max", "Mean",
    "Median", "Min", "Prod", "Std", "Sum", "Var",
)  # fmt: skip
class ReductionRule(Rule):
    """One number for all positions of some axes."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        tensor, operation = call.inputs[0], call.operation
        axes = _axes(operation.axis, len(tensor.shape))
        labels = _alike_along(walk, walk.of(tensor), axes)
        if not getattr(operation, "keepdims", False):
            labels = np.squeeze(labels, axes)
        return [as_output(labels, call.outputs[0])]


@register("Cumprod", "Cumsum", "Sort", "Argsort")
class AlongAxisRule(Rule):
    """Every position depends on the others of one axis."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        tensor, axis = call.inputs[0], call.operation.axis
        labels = _alike_along(walk, walk.of(tensor), _axes(axis, len(tensor.shape)))
        return [as_output(labels, call.outputs[0])]


def _axes(axis: Any, rank: int) -> tuple[int, ...]:
    """The axes an operation names, counted from 0; None names them all."""
    axes = range(rank) if axis is None else np.atleast_1d(axis).tolist()
    return tuple(number % rank for number in axes)


def _alike_along(walk: LabelWalk, labels: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Makes labels equal along some axes, and returns their core with these cut to length 1."""
    small = arrays.core(labels)
    varying = set(arrays.varying_axes(small))
    if varying and varying <= set(axes):
        raise Unsupported("it computes a statistic over channels")
    first = small[tuple(slice(1) if axis in axes else slice(None) for axis in range(small.ndim))]
    if varying & set(axes):
        walk.unite(first, small)
    return first
