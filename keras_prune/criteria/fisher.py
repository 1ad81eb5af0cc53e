"""The Fisher information of a channel's gate."""

from dataclasses import dataclass
from typing import Any, ClassVar

from keras import ops

from keras_prune.criteria.activation_gradient import ActivationGradient


@dataclass(frozen=True)
class Fisher(ActivationGradient):
    """`(sum_m z_m dC/dz_m)^2` per example, averaged over examples.

    `z` is what the layers that read a channel see of it. Half of the score estimates by how much
    the loss rises when the channel is silenced: at a trained network the first-order terms of
    `taylor` cancel over the examples, and the curvature is that of the Fisher information.

    Args:
        batch_size: examples at a time, where arrays are given; default 64. It changes no score.
        loss: a loss of Keras, by name or as it is, or a function of labels and outputs with one
            value per example; default the cross-entropy of class numbers, for outputs that are
            logits or probabilities.

    Reference: Theis et al., "Faster gaze prediction with dense networks and Fisher pruning", 2018,
    section 2.1; of groups of channels Liu et al., "Group Fisher Pruning for Practical Network
    Compression", ICML 2021, section 3.1.

    Example:

    >>> import keras
    >>> import numpy as np
    >>> from keras_prune.graph import ChannelGraph
    >>> model = keras.Sequential([
    ...     keras.Input((2,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(2),
    ... ])
    >>> images, labels = np.ones((5, 2), "float32"), np.array([0, 1, 1, 0, 1])
    >>> Fisher()(ChannelGraph(model), (images, labels))["hidden"].shape
    (3,)
    """

    name: ClassVar[str] = "fisher"

    def score(self, products: Any, positions: Any) -> Any:
        return ops.mean(ops.square(products), axis=1)
