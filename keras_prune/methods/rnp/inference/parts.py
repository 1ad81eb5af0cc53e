"""A convolution computed with a part of its weights."""

from __future__ import annotations

import keras
import tensorflow as tf

from keras_prune.graph import Call
from keras_prune.methods.rnp.execution import Masked


def weights(layer: keras.layers.Conv2D) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Kernel `(height, width, in, out)` and bias `(out,)` in the precision it computes in."""
    kernel = tf.cast(layer.kernel.value, layer.compute_dtype)
    return kernel, None if layer.bias is None else tf.cast(layer.bias.value, layer.compute_dtype)


def convolved(
    layer: keras.layers.Conv2D, features: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None
) -> tf.Tensor:
    """What the layer makes of features if its weights are these."""
    outputs = tf.nn.conv2d(
        tf.cast(features, layer.compute_dtype),
        kernel,
        layer.strides,
        layer.padding.upper(),
        dilations=layer.dilation_rate,
    )
    if bias is not None:
        outputs = tf.nn.bias_add(outputs, bias)
    return layer.activation(outputs)


class InParts(Masked):
    """Convolutions of a width known beforehand, with features as wide as those of `Masked`.

    What stands in the channels that were not computed is never read, or masked where it is.
    """

    def widths(self, step: int | None, full: int) -> tuple[int, ...]:
        """Channels that each action of a decision computes; all where nothing is decided."""
        return (full,) if step is None else self.decisions.steps[step].bounds

    def part(self, call: Call, features: tf.Tensor, into: int, out: int) -> tf.Tensor:
        """The first `out` channels made of the first `into`, and zeros behind them."""
        kernel, bias = weights(call.operation)
        kernel, bias = kernel[:, :, :into, :out], None if bias is None else bias[:out]
        made = convolved(call.operation, features[..., :into], kernel, bias)
        return tf.pad(made, [[0, 0], [0, 0], [0, 0], [0, call.outputs[0].shape[-1] - out]])
