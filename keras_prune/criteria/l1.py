"""The sum of absolute weights."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from keras_prune.criteria.weights import KernelCriterion


@dataclass(frozen=True)
class L1(KernelCriterion):
    """`sum |w|` over the slices of a channel: small filters leave first.

    Args:
        reduction: how the scores of a group's kernels become one: `"sum"`, `"mean"`, `"max"`,
            `"prod"`, or `"first"` (the first producer alone); default `"mean"`.
        consumers: whether the kernels that read the channel count, too; default True. The paper
            counts the filter alone: `reduction="first", consumers=False`.
        affine: whether all else that is trained of a channel counts, too: biases, scales and
            shifts of norms, depthwise kernels; default False. Not with `"prod"`.

    Reference: Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, section 3.1.

    Example:

    >>> import keras
    >>> from keras_prune.graph import ChannelGraph
    >>> model = keras.Sequential([
    ...     keras.Input((2,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(1),
    ... ])
    >>> kernel, bias = np.array([[1, -2, 0], [1, 1, 0.5]]), np.zeros(3)
    >>> model.layers[0].set_weights([kernel, bias])
    >>> L1(consumers=False)(ChannelGraph(model))
    {'hidden': array([2. , 3. , 0.5])}
    """

    name: ClassVar[str] = "l1"

    def measure(self, slices: np.ndarray) -> np.ndarray:
        return np.abs(slices).sum(axis=1, dtype="float64")
