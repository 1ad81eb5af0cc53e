"""Activation times gradient: by how much the loss would change without a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from keras import ops

from keras_prune.criteria.calibrated import GradientCriterion, Step
from keras_prune.criteria.losses import per_example
from keras_prune.criteria.reader import Reader, channel_sums
from keras_prune.graph import ChannelGraph


@dataclass(frozen=True)
class Taylor(GradientCriterion):
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
    >>> model = keras.Sequential([
    ...     keras.Input((2,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(2),
    ... ])
    >>> images, labels = np.ones((5, 2), "float32"), np.array([0, 1, 1, 0, 1])
    >>> Taylor()(ChannelGraph(model), (images, labels))["hidden"].shape
    (3,)
    """

    name: ClassVar[str] = "taylor"

    def step(self, graph: ChannelGraph) -> Step:
        import tensorflow as tf

        reader, loss = Reader(graph), per_example(graph, self.loss)
        zero = tf.UnconnectedGradients.ZERO

        def step(inputs: list[Any], labels: Any) -> dict[str, Any]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:

                def watch(value: Any) -> Any:
                    value = tf.identity(value)  # of other readers' gradients
                    tape.watch(value)
                    return value

                outputs, reads = reader(inputs, watch)
                values = loss(labels, outputs)
            read = [read.value for read in reads]
            # The gradient of a vector is that of its sum: row by row that of each example's loss.
            gradients = tape.gradient(values, read, unconnected_gradients=zero)
            products = map(ops.multiply, map(_float32, read), map(_float32, gradients))
            sums = channel_sums(graph, reads, products, ops.shape(inputs[0])[0])
            return {name: _mean(*found) for name, found in sums.items()}

        return step


def _float32(tensor: Any) -> Any:
    return ops.cast(tensor, "float32")


def _mean(sums: Any, positions: Any) -> Any:
    """Over positions and examples. One `M` for the whole group lets the sums keep their order."""
    per_channel = ops.maximum(ops.mean(positions), 1.0)
    return ops.mean(ops.abs(sums), axis=1) / per_channel
