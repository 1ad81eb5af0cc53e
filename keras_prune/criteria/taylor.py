"""Activation times gradient: by how much the loss would change without a channel."""

from dataclasses import dataclass
from typing import Any, ClassVar

from keras import ops

from keras_prune.criteria.activation_gradient import ActivationGradient


@dataclass(frozen=True)
class Taylor(ActivationGradient):
    """`|1/M sum_m z_m dC/dz_m|` per example, averaged over examples.

    `z` is what the layers that read a channel see of it: behind the BatchNorm and the activation.
    The sum is by how much the loss `C` drops if the channel is silenced, to first order; `M` is the
    number of positions at which a channel of the group is read. The paper takes the feature map
    that a convolution makes; where one layer reads it as it is, that is the same. BatchNorm uses
    its stored statistics.

    Args:
        batch_size: examples at a time, where arrays are given; default 64. It changes no score.
        loss: a loss of Keras, by name or as it is, or a function of labels and outputs with one
            value per example; default the cross-entropy of class numbers, for outputs that are
            logits or probabilities.

    Reference: Molchanov et al., "Pruning Convolutional Neural Networks for Resource Efficient
    Inference", ICLR 2017, section 2.2.

    Example:

    >>> import keras
    >>> import numpy as np
    >>> from keras_prune.graph import ChannelGraph
    >>> model = keras.Sequential([
    ...     keras.Input((2,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(2),
    ... ])
    >>> images, labels = np.ones((5, 2), "float32"), np.array([0, 1, 1, 0, 1])
    >>> Taylor()(ChannelGraph(model), (images, labels))["hidden"].shape
    (3,)
    """

    name: ClassVar[str] = "taylor"

    def score(self, products: Any, positions: Any) -> Any:
        # One `M` for the whole group lets the sums keep their order.
        per_channel = ops.maximum(ops.mean(positions), 1.0)
        return ops.mean(ops.abs(products), axis=1) / per_channel
