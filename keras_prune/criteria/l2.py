"""The Euclidean norm of weights."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from keras_prune.criteria.weights import KernelCriterion


@dataclass(frozen=True)
class L2(KernelCriterion):
    """`sqrt(sum w^2)` over the slices of a channel.

    Args:
        reduction: how the scores of a group's kernels become one: `"sum"`, `"mean"`, `"max"`,
            `"prod"`, or `"first"` (the first producer alone); default `"mean"`.
        consumers: whether the kernels that read the channel count, too; default True.
        affine: whether all else that is trained of a channel counts, too: biases, scales and
            shifts of norms, depthwise kernels; default False. Not with `"prod"`.

    Reference: He et al., "Soft Filter Pruning for Accelerating Deep Convolutional Neural Networks",
    IJCAI 2018, section 3.2.
    """

    name: ClassVar[str] = "l2"

    def measure(self, slices: np.ndarray) -> np.ndarray:
        return np.sqrt(np.square(slices).sum(axis=1, dtype="float64"))
