"""Magnitude among what would be left of the group."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from keras_prune.criteria.weights import KernelCriterion
from keras_prune.graph import ChannelGroup


@dataclass(frozen=True)
class LAMP(KernelCriterion):
    """`s_c / sum of s_j over the channels j with s_j >= s_c`, where `s` is the squared norm.

    The greatest channel of every group has score 1, so that a global ranking empties no group. Of
    equal channels the later one scores higher. The paper scores single weights; here a weight is
    the slices of a channel.

    Args:
        reduction: how the squared norms of a group's kernels become one: `"sum"`, `"mean"`,
            `"max"`, or `"first"` (the first producer alone); default `"mean"`.
        consumers: whether the kernels that read the channel count, too; default True.
        affine: whether all else that is trained of a channel counts, too: biases, scales and
            shifts of norms, depthwise kernels; default False. Not with `"prod"`.

    Reference: Lee et al., "Layer-adaptive Sparsity for the Magnitude-based Pruning", ICLR 2021,
    section 3.
    """

    name: ClassVar[str] = "lamp"

    def group_scores(self, group: ChannelGroup) -> np.ndarray:
        squares = super().group_scores(group)
        order = np.argsort(squares, kind="stable")
        left = np.empty_like(squares)
        left[order] = np.cumsum(squares[order][::-1])[::-1]
        return np.divide(squares, left, out=np.zeros_like(squares), where=left != 0)

    def measure(self, slices: np.ndarray) -> np.ndarray:
        return np.square(slices).sum(axis=1, dtype="float64")
