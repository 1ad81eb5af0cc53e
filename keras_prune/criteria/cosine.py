"""How far a channel's weights point from those of every larger channel."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from keras_prune.criteria.weights import KernelCriterion, parts_of_pairs


@dataclass(frozen=True)
class Cosine(KernelCriterion):
    """`1 - max_j cos(w, w_j)` over the channels *j* of the group with a larger norm: a channel is
    redundant where a larger one points the same way. Of two that are alike the larger one stays.

    In each kernel the largest channel scores 2, and one of zeros 0.

    Args:
        reduction: how the scores of a group's kernels become one: `"sum"`, `"mean"`, `"max"`,
            `"prod"`, or `"first"` (the first producer alone); default `"mean"`.
        consumers: whether the kernels that read the channel count, too; default True.
        affine: whether all else that is trained of a channel counts, too: biases, scales and
            shifts of norms, depthwise kernels; default False. Not with `"prod"`.

    Reference: Ayinde and Zurada, "Building Efficient ConvNets using Redundant Feature Pruning",
    2018, section 2; there channels are clustered by a threshold.
    """

    name: ClassVar[str] = "cosine"

    def measure(self, slices: np.ndarray) -> np.ndarray:
        norms = np.sqrt(np.square(slices).sum(axis=1, dtype="float64"))
        units = slices / np.where(norms, norms, 1)[:, None]
        order = np.argsort(-norms, kind="stable")
        place = np.argsort(order)
        nearest = np.empty(len(units))
        for part in parts_of_pairs(len(units)):
            larger = place < place[part, None]
            alike = np.where(larger, units[part] @ units.T, -1.0)
            nearest[part] = alike.max(axis=1, initial=-1.0)
        return np.where(norms > 0, 1 - np.clip(nearest, -1, 1), 0.0)
