"""The distance of a channel to all others of its group."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from keras_prune.criteria.weights import KernelCriterion, parts_of_pairs


@dataclass(frozen=True)
class FPGM(KernelCriterion):
    """`sum_j ||w - w_j||` over the other channels *j*: what is nearest to the geometric median of a
    layer's filters leaves first, for the others can stand in for it.

    Args:
        reduction: how the scores of a group's kernels become one: `"sum"`, `"mean"`, `"max"`,
            `"prod"`, or `"first"` (the first producer alone); default `"mean"`.
        consumers: whether the kernels that read the channel count, too; default True. The paper
            compares filters alone: `reduction="first", consumers=False`.
        affine: whether all else that is trained of a channel counts, too: biases, scales and
            shifts of norms, depthwise kernels; default False. Not with `"prod"`.

    Reference: He et al., "Filter Pruning via Geometric Median for Deep Convolutional Neural
    Networks Acceleration", CVPR 2019, section 3.3.
    """

    name: ClassVar[str] = "fpgm"

    def measure(self, slices: np.ndarray) -> np.ndarray:
        rows = slices.astype("float64")  # the squares below nearly cancel for filters that are near
        squares = np.square(rows).sum(axis=1)
        scores = np.empty(len(rows))
        for part in parts_of_pairs(len(rows)):
            distances = squares[part, None] + squares - 2 * rows[part] @ rows.T
            np.fill_diagonal(distances[:, part], 0)
            scores[part] = np.sqrt(np.maximum(distances, 0)).sum(axis=1)
        return scores
