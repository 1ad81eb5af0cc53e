"""One image: the weights are cut to the channels that were asked for."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from keras_prune.graph import Call
from keras_prune.methods.rnp.execution import Execution
from keras_prune.methods.rnp.inference.parts import convolved, weights


class Sliced(Execution):
    """Runs images that all take the same action, as one image does, at the cost of a narrow net.

    Between a convolution and its readers there are only the channels that were computed. The cuts
    are slices of a size known at run time: there is no branch, and the graph is as small as that of
    the whole network.
    """

    def convolve(self, call: Call, features: tf.Tensor, actions: list[tf.Tensor]) -> tf.Tensor:
        """The convolution with a slice of its weights."""
        reads, makes = self.decisions.around(call)
        kernel, bias = weights(call.operation)
        height, width, channels, filters = kernel.shape
        into = channels if reads is None else self._kept(reads, actions[reads])
        out = filters if makes is None else self._kept(makes, actions[makes])
        kernel = tf.slice(kernel, [0, 0, 0, 0], [height, width, into, out])
        bias = None if bias is None else tf.slice(bias, [0], [out])
        return convolved(call.operation, features, kernel, bias)

    def channelwise(self, call: Call, features: tf.Tensor, actions: list[tf.Tensor]) -> tf.Tensor:
        """The layer on the channels there are."""
        layer = call.operation
        if isinstance(layer, keras.layers.BatchNormalization):
            step = self.decisions.narrow[id(call.inputs[0])]
            return _normalized(layer, features, self._kept(step, actions[step]))
        return layer(features)

    def widen(self, features: tf.Tensor, step: int, action: tf.Tensor) -> tf.Tensor:
        """The features and zeros behind them."""
        bounds = np.array(self.decisions.steps[step].bounds)
        paddings = np.zeros((len(bounds), features.shape.rank, 2), np.int32)
        paddings[:, -1, 1] = bounds[-1] - bounds
        wide = tf.pad(features, tf.gather(paddings, action[0]))  # a table: fewer ops than to count
        wide.set_shape([*features.shape[:-1], int(bounds[-1])])
        return wide

    def _kept(self, step: int, action: tf.Tensor) -> tf.Tensor:
        """Channels of a decision that are computed, scalar."""
        return tf.gather(tf.constant(self.decisions.steps[step].bounds), action[0])


def _normalized(
    layer: keras.layers.BatchNormalization, features: tf.Tensor, kept: tf.Tensor
) -> tf.Tensor:
    """The layer in inference mode on the first channels, in a single operation."""
    mean, variance = layer.moving_mean.value, layer.moving_variance.value
    scale = tf.ones_like(mean) if layer.gamma is None else layer.gamma.value
    offset = tf.zeros_like(mean) if layer.beta is None else layer.beta.value
    scale, offset, mean, variance = (
        tf.slice(weight, [0], [kept]) for weight in (scale, offset, mean, variance)
    )
    return tf.raw_ops.FusedBatchNormV3(
        x=features, scale=scale, offset=offset, mean=mean, variance=variance,
        epsilon=layer.epsilon, is_training=False,
    ).y  # fmt: skip
