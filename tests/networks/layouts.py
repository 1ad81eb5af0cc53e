"""Axes moved, repeated, filled and gathered by `keras.ops`."""

import keras
import numpy as np
from keras import layers as kl
from keras import ops

from tests.networks.base import conv, head, image, network


@network({"a": 8, "b": 6})
def moved_axes():
    i = image()
    x = ops.transpose(conv(8, "a")(i), (0, 3, 1, 2))
    x = ops.moveaxis(x, 1, 3) + ops.swapaxes(x, 1, 3)
    return keras.Model(i, head(conv(6, "b")(x)))


@network({"a": 8, "b": 5})
def time_in_front():
    i = keras.Input((7, 3))
    x = ops.transpose(kl.Conv1D(8, 3, name="a")(i), (1, 0, 2))
    x = ops.transpose(ops.tanh(x), (1, 0, 2))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.Dense(5, name="b")(x))))


@network({"b": 5}, barriers=["transpose"])
def channels_in_front():
    i = keras.Input((7, 3))
    x = ops.transpose(kl.Conv1D(8, 3, name="a")(i), (2, 0, 1))
    x = kl.Dense(5, name="b")(ops.transpose(x, (1, 2, 0)))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(x)))


@network({"a": 8, "b": 6})
def reshape_ops():
    i = image()
    x = ops.reshape(conv(8, "a")(i), (-1, 36, 8))
    x = ops.reshape(kl.Conv1D(6, 1, name="b")(x), (-1, 6, 6, 6))
    return keras.Model(i, kl.Dense(3)(ops.reshape(x, (-1, 216))))


@network({"a": 8, "b": 6})
def rows_folded_into_the_batch():
    i = image()
    x = ops.reshape(conv(8, "a")(i), (-1, 6, 8))
    x = ops.reshape(kl.Conv1D(6, 3, padding="same", name="b")(x), (-1, 6, 6, 6))
    return keras.Model(i, head(x))


@network({"b": 5}, barriers=["reshape"])
def channels_folded_into_the_batch():
    i = image()
    x = ops.reshape(conv(8, "a")(i), (-1, 6, 4))
    x = kl.Dense(5, name="b")(ops.reshape(x, (-1, 6, 6, 8)))
    return keras.Model(i, head(x))


@network({"a": 8, "b": 6})
def reshape_ops_of_unknown_size():
    i = image(size=None)
    x = ops.reshape(conv(8, "a")(i), (-1, 8))
    return keras.Model(i, kl.Dense(3)(kl.Dense(6, name="b")(x)))


@network({"a": 2, "b": 6})
def pixel_shuffle():
    i = image()
    x = ops.reshape(conv(8, "a")(i), (-1, 6, 6, 2, 2, 2))
    x = ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, 12, 12, 2))
    return keras.Model(i, head(conv(6, "b")(x)))


@network({"a": 3, "b": 8, "c": 6})
def depth_to_space_and_back():
    i = image()
    x = conv(8, "b")(ops.depth_to_space(conv(12, "a")(i), 2))
    return keras.Model(i, head(conv(6, "c")(ops.space_to_depth(x, 3))))


@network({"a": 4, "b": 6})
def gated_linear_unit():
    i = image()
    return keras.Model(i, head(conv(6, "b")(ops.glu(conv(8, "a")(i)))))


@network({"a": 8, "b": 6})
def axes_of_length_one():
    i = keras.Input((5,))
    x = ops.expand_dims(kl.Dense(8, name="a")(i), axis=(1, 3))
    x = kl.Dense(6, name="b")(ops.squeeze(ops.moveaxis(x, 2, 3)))
    return keras.Model(i, kl.Dense(3)(x))


@network({"a": 8, "b": 6})
def repeated_vector():
    i = keras.Input((5,))
    x = kl.Conv1D(6, 3, name="b")(kl.RepeatVector(4)(kl.Dense(8, name="a")(i)))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(x)))


@network({"a": 8, "b": 6})
def broadcast_vector():
    i = keras.Input((5,))
    x = ops.expand_dims(kl.Dense(8, name="a")(i), axis=1)
    x = kl.Conv1D(6, 3, name="b")(ops.broadcast_to(x, (3, 4, 8)))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(x)))


@network({"a": 8})
def tiled_and_repeated():
    i = image()
    x = conv(8, "a")(i)
    tiled, repeated = ops.tile(x, (1, 2, 1, 2)), ops.repeat(x, 2, axis=-1)
    return keras.Model(i, head(kl.Concatenate()([tiled, kl.UpSampling2D((2, 1))(repeated)])))


@network({"a": 8, "b": 5})
def repeated_unequally():
    i = image()
    x = ops.repeat(conv(8, "a")(i), [1, 2, 1, 3, 1, 1, 2, 1], axis=-1)
    return keras.Model(i, head(conv(5, "b")(x)))


@network({"a": 8})
def rolled_and_flipped():
    i = image()
    x = conv(8, "a")(i)
    y = ops.flip(ops.roll(ops.roll(x, 3, axis=-1), -2, axis=1), axis=(1, 3))
    return keras.Model(i, head(y + conv(8, "b")(i)))


@network({"a": 4, "b": 4})
def padded_shortcut():
    i = image()
    x = ops.pad(conv(4, "a")(i), ((0, 0), (1, 1), (0, 2), (1, 3)))
    # Not a padded convolution: with it and the addition in one, TensorFlow's oneDNN kernel crashes.
    return keras.Model(i, head(x + kl.Conv2DTranspose(8, 3, name="b")(i)))


@network({"a": 5})
def padded_image():
    i = image()
    return keras.Model(i, head(ops.pad(i, ((0, 0), (0, 0), (0, 0), (0, 5))) + conv(8, "a")(i)))


@network({"a": 8, "b": 6}, barriers=["pad"])
def padded_by_reflection():
    i = image()
    rows = ops.pad(conv(8, "a")(i), ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    channels = ops.pad(conv(8, "c")(i), ((0, 0), (0, 0), (0, 0), (1, 1)), mode="reflect")
    return keras.Model(i, [head(conv(6, "b")(rows)), kl.Dense(2)(kl.Flatten()(channels))])


@network({"a": 8, "b": 6})
def reductions():
    i = image()
    x = conv(8, "a")(i)
    x = x * ops.sigmoid(ops.max(x, axis=(1, 2), keepdims=True)) - ops.min(x, 1, keepdims=True)
    x = ops.logsumexp(ops.cumsum(x, axis=1), axis=2) + ops.std(x, axis=1)
    return keras.Model(i, kl.Dense(3)(ops.mean(kl.Dense(6, name="b")(x), axis=1)))


@network({"b": 6}, barriers=["mean"])
def mean_over_channels():
    i = image()
    x = conv(8, "a")(i)
    return keras.Model(i, head(conv(6, "b")(x - ops.mean(x, axis=-1, keepdims=True))))


@network({"a": 2, "b": 6})
def mean_over_some_of_what_varies():
    i = keras.Input((5,))
    x = kl.Reshape((4, 2))(kl.Dense(8, name="a")(i))
    return keras.Model(i, kl.Dense(3)(kl.Dense(6, name="b")(ops.max(x, axis=1))))


@network({"a": 8, "b": 6})
def conditions_and_numbers():
    i = image()
    x = conv(8, "a")(i)
    x = ops.where(ops.logical_and(x > 0.1, x < 2.0), ops.power(x, 2), x * -0.3)
    x = ops.maximum(ops.floor(x * 4.0) / 4.0, -0.5) + ops.rsqrt(ops.abs(x) + 1.0)
    return keras.Model(i, head(conv(6, "b")(x)))


PER_CHANNEL = np.linspace(-1, 1, 8, dtype="float32")


@network({"a": 8, "b": 6})
def constants_per_channel():
    i = image()
    x = ops.add(ops.multiply(conv(8, "a")(i), PER_CHANNEL), PER_CHANNEL[None, None, ::-1])
    x = ops.where(x > 0, np.random.default_rng(0).normal(size=(6, 1, 8)).astype("float32"), x)
    return keras.Model(i, head(conv(6, "b")(x)))


@network({"a": 8, "b": 6})
def constant_tensor_per_channel():
    i = image(size=None)
    x = ops.multiply(conv(8, "a")(i), ops.convert_to_tensor(PER_CHANNEL + 2))
    return keras.Model(i, head(conv(6, "b")(x)))


@network({"a": 8, "b": 6})
def constants_of_other_axes():
    i = image()
    x = ops.multiply(conv(8, "a")(i), np.arange(6, dtype="float32")[:, None])
    x = kl.Permute((3, 1, 2))(x)
    x = ops.multiply(x, PER_CHANNEL.reshape(1, 8, 1, 1) + 2)
    return keras.Model(i, head(conv(6, "b")(kl.Permute((2, 3, 1))(x))))


@network({"a": 6, "b": 5}, barriers=["add"])
def constants_that_keras_takes_for_a_bias():
    """On TensorFlow Keras adds a column of 6 rows to 6 channels, and to 5 channels by rows."""
    i = image()
    column = np.linspace(-1, 1, 6, dtype="float32")[:, None]
    x = ops.add(conv(6, "a")(i), np.broadcast_to(column[:, None], (6, 1, 6)))
    x = ops.add(conv(6, "c")(x), column)
    return keras.Model(i, head(conv(5, "b")(x)))


@network({"a": 8, "b": 6})
def resized_and_pooled():
    i = image()
    x = ops.image.resize(conv(8, "a")(i), (9, 7))
    x = ops.average_pool(ops.max_pool(kl.Resizing(8, 8)(x), 2), 2, padding="same")
    return keras.Model(i, head(conv(6, "b")(x)))


@network({"a": 8, "b": 5})
def rolled_along_two_axes():
    i = image()
    x = ops.roll(conv(8, "a")(i), (2, 3), axis=(1, 3))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(conv(5, "b")(ops.roll(x, (1, 1), axis=(2, 3))))))


@network({"a": 8})
def rolled_along_one_axis_twice():
    i = image()
    x = ops.roll(conv(8, "a")(i), (1, 2), axis=(3, -1))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(x)))


@network({"b": 5}, barriers=["repeat"])
def repeated_without_an_axis():
    i = keras.Input((6,))
    x = ops.reshape(ops.repeat(kl.Dense(4, name="a")(i), 2), (-1, 8))
    return keras.Model(i, kl.Dense(3)(kl.Dense(5, name="b")(x)))
