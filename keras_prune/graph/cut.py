"""What is left of tensors and weights once some labels have left."""

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Binding, Statistic
from keras_prune.graph.labels import shrinking_axis


class Cut:
    """Resolved labels and which of them stay.

    Args:
        tensors: label arrays by `id` of the symbolic tensor.
        roots: the root of every label, shape `(labels,)`.
        keep: whether a root stays, shape `(labels,)`.
    """

    def __init__(self, tensors: dict[int, np.ndarray], roots: np.ndarray, keep: np.ndarray) -> None:
        self._tensors = tensors
        self._roots = roots
        self._kept = keep[roots]

    def kept(self, tensor: keras.KerasTensor, axis: int) -> np.ndarray:
        """Whether each position of a tensor's axis stays, shape `(length of the axis,)`."""
        labels = self._tensors[id(tensor)]
        small = arrays.core(labels)
        axis %= labels.ndim
        if self._kept[small].all() or shrinking_axis(self._roots[small]) != axis:
            return np.ones(labels.shape[axis], bool)
        return arrays.along(self._kept[small], axis, labels.shape[axis])

    def size(self, tensor: keras.KerasTensor, axis: int) -> int:
        """The length of a tensor's axis after the cut."""
        return int(self.kept(tensor, axis).sum())

    def positions(self, binding: Binding | Statistic) -> np.ndarray | None:
        """The positions of a bound axis that stay; None if all do."""
        kept = self._kept[binding.labels]
        return None if kept.all() else np.flatnonzero(kept)
