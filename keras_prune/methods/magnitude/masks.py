"""Masks on a model's weights: fixed-shape variables, applied in one compiled function."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_prune.methods.magnitude.selection import Kernel


class Masks:
    """One mask for each kernel, 1 = keep.

    Args:
        kernels: what is masked; nothing is, to begin with.

    Attributes:
        variables: the masks, in the order and shapes of the kernels.
    """

    def __init__(self, kernels: Sequence[Kernel]) -> None:
        self.kernels = tuple(kernels)
        self.weights = [kernel.variable.value for kernel in self.kernels]
        self.variables = [
            tf.Variable(tf.ones_like(weight), trainable=False, name="mask")
            for weight in self.weights
        ]
        self.apply = tf.function(self.mask, input_signature=[])

    def cover(self, kernels: Sequence[Kernel]) -> bool:
        """Whether these are the masks of just these kernels."""
        both = zip(self.kernels, kernels, strict=False)
        same = all(ours.variable is theirs.variable for ours, theirs in both)
        return same and len(self.kernels) == len(kernels)

    def put_back(self) -> int:
        """How many masked weights are not zero."""
        pairs = zip(self.weights, self.variables, strict=True)
        return sum(int(np.count_nonzero(w.numpy()[m.numpy() == 0])) for w, m in pairs)

    def mask(self) -> None:
        """Sets masked weights to zero; `apply` is the same, compiled."""
        for weight, mask in zip(self.weights, self.variables, strict=True):
            # A product would leave -0.0 where a weight was negative, which does not compress.
            weight.assign(tf.where(mask != 0, weight, tf.zeros_like(weight)))

    def assign(self, values: Sequence[np.ndarray]) -> None:
        """Takes new masks and applies them.

        Args:
            values: bool, in the order and shapes of the kernels.
        """
        for mask, value in zip(self.variables, values, strict=True):
            mask.assign(np.asarray(value, mask.dtype.as_numpy_dtype))
        self.apply()

    def numpy(self) -> list[np.ndarray]:
        """The masks as bool arrays."""
        return [mask.numpy().astype(bool) for mask in self.variables]

    @property
    def sparsity(self) -> float:
        """Fraction of the kernels' weights that are masked."""
        kept: Any = sum(int(mask.sum()) for mask in self.numpy())
        return 1 - kept / sum(kernel.size for kernel in self.kernels)
