"""Criteria made of what the readers of a channel see, times the gradient of the loss there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from keras_prune.criteria.calibrated import GradientCriterion, Step
from keras_prune.criteria.losses import per_example
from keras_prune.criteria.reader import Read, Reader, channel_sums
from keras_prune.graph import ChannelGraph


@dataclass(frozen=True)
class ActivationGradient(GradientCriterion):
    """Scores a channel by `sum_m z_m dC/dz_m` of each example; a subclass says how.

    `z` is what the layers that read a channel see of it: behind the BatchNorm and the activation.
    The sum over the positions `m` is by how much the loss `C` of the example drops if the channel
    is silenced, to first order. BatchNorm uses its stored statistics.
    """

    def step(self, graph: ChannelGraph) -> Step:
        import tensorflow as tf

        reader, loss = Reader(graph), per_example(graph, self.loss)
        zero = tf.UnconnectedGradients.ZERO

        def step(inputs: list[Any], labels: Any) -> dict[str, Any]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:

                def watch(read: Read) -> Any:
                    value = tf.identity(read.value)  # of other readers' gradients
                    tape.watch(value)
                    return value

                outputs, reads = reader(inputs, watch)
                values = loss(labels, outputs)
            read = [read.value for read in reads]
            # The gradient of a vector is that of its sum: row by row that of each example's loss.
            gradients = tape.gradient(values, read, unconnected_gradients=zero)
            products = map(ops.multiply, map(_float32, read), map(_float32, gradients))
            sums = channel_sums(graph, reads, products, ops.shape(inputs[0])[0])
            return {name: self.score(*found) for name, found in sums.items()}

        return step

    def score(self, products: Any, positions: Any) -> Any:
        """The mean over a batch.

        Args:
            products: the sums, `(channels, examples)`.
            positions: at how many positions of an example each channel is read, `(channels,)`.

        Returns:
            `(channels,)`.
        """
        raise NotImplementedError


def _float32(tensor: Any) -> Any:
    return ops.cast(tensor, "float32")
