"""What is left of tensors and weights once some labels have left."""

from collections.abc import Mapping

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Binding, Statistic
from keras_prune.graph.calls import Call


class Cut:
    """Resolved labels and which of them stay.

    Args:
        tensors: label arrays by `id` of the symbolic tensor.
        bindings: the bound axes by `id` of the weight and number of the axis.
        roots: the root of every label, shape `(labels,)`.
        keep: whether a root stays, shape `(labels,)`.
        inside: calls of layers inside by `id` of the call that makes them.
    """

    def __init__(
        self,
        tensors: Mapping[int, np.ndarray],
        bindings: Mapping[tuple[int, int], Binding],
        roots: np.ndarray,
        keep: np.ndarray,
        inside: Mapping[int, Call],
    ) -> None:
        self._inside = inside
        self._tensors = tensors
        self._bindings = bindings
        self._roots = roots
        self._kept = keep[roots]
        self._known: dict[int, tuple[int | None, np.ndarray]] = {}

    def kept(self, tensor: keras.KerasTensor, axis: int) -> np.ndarray:
        """Whether each position of a tensor's axis stays, shape `(length of the axis,)`."""
        labels = self._tensors[id(tensor)]
        shrinking, kept = self._leaves(labels)
        axis %= labels.ndim
        return kept if axis == shrinking else np.ones(labels.shape[axis], bool)

    def size(self, tensor: keras.KerasTensor, axis: int) -> int:
        """The length of a tensor's axis after the cut."""
        labels = self._tensors[id(tensor)]
        shrinking, kept = self._leaves(labels)
        axis %= labels.ndim
        return int(np.count_nonzero(kept)) if axis == shrinking else labels.shape[axis]

    def _leaves(self, labels: np.ndarray) -> tuple[int | None, np.ndarray]:
        """The axis of a tensor that shrinks, if any does, and which of its positions stay."""
        known = self._known.get(id(labels))
        if known is None:
            small = arrays.core(labels)
            kept = self._kept[small]
            axis = None if kept.all() else arrays.shrinking_axis(self._roots[small])
            if axis is not None:
                kept = arrays.along(kept, axis, labels.shape[axis])
            known = self._known[id(labels)] = axis, kept
        return known

    def inside(self, call: Call) -> Call | None:
        """The call that a call makes of a layer inside; None if no channels went through it."""
        return self._inside.get(id(call))

    def length(self, variable: keras.Variable, axis: int) -> int:
        """The length of a weight's axis after the cut."""
        binding = self._bindings.get((id(variable), axis % len(variable.shape)))
        left = None if binding is None else self.positions(binding)
        return int(variable.shape[axis]) if left is None else len(left)

    def left(self, variable: keras.Variable, values: np.ndarray) -> np.ndarray:
        """What is left of a weight's values."""
        for axis in range(values.ndim):
            binding = self._bindings.get((id(variable), axis))
            positions = None if binding is None else self.positions(binding)
            if positions is not None:
                values = values.take(positions, axis=axis)
        return values

    def positions(self, binding: Binding | Statistic) -> np.ndarray | None:
        """The positions of a bound axis that stay; None if all do."""
        kept = self._kept[binding.labels]
        return None if kept.all() else np.flatnonzero(kept)
