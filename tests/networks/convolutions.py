"""Convolutions of other kinds: depthwise, separable, grouped, transposed."""

import keras
from keras import layers as kl

from tests.networks.base import conv, head, image, network


@network({"a": 6, "b": 5})
def depthwise():
    i = image()
    x = kl.DepthwiseConv2D(3, depth_multiplier=2)(conv(6, "a")(i))
    x = kl.ReLU()(kl.BatchNormalization()(x))
    return keras.Model(i, head(kl.Conv2D(5, 1, name="b")(x)))


@network({"a": 6, "b": 5})
def separable():
    i = image()
    x = kl.BatchNormalization()(kl.ReLU()(conv(6, "a")(i)))
    x = kl.SeparableConv2D(5, 3, depth_multiplier=2, activation="relu", name="b")(x)
    return keras.Model(i, head(x))


@network({"a": 4, "b": 3})
def grouped():
    i = image()
    x = conv(6, "b", groups=2)(conv(8, "a")(i))
    return keras.Model(i, head(kl.BatchNormalization()(x)))


@network({"a": 8})
def grouped_as_depthwise():
    i = image()
    x = kl.BatchNormalization()(conv(16, "b", groups=8)(conv(8, "a")(i)))
    return keras.Model(i, head(x))


@network({"a": 6, "b": 5})
def transposed():
    i = image()
    x = kl.Conv2DTranspose(5, 3, strides=2, name="b")(kl.BatchNormalization()(conv(6, "a")(i)))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(x)))


@network({"a": 6, "b": 5})
def generator():
    i = keras.Input((4,))
    x = kl.Reshape((3, 3, 6))(kl.BatchNormalization()(kl.Dense(54, name="a")(i)))
    x = kl.Conv2DTranspose(5, 3, strides=2, name="b")(x)
    return keras.Model(i, kl.Conv2D(1, 1, activation="tanh")(kl.BatchNormalization()(x)))


@network({"a": 8, "b": 6}, runs=False)
def channels_first():
    first = {"data_format": "channels_first"}
    i = keras.Input((3, 6, 6))
    x = kl.BatchNormalization(axis=1)(conv(8, "a", **first)(i))
    x = kl.DepthwiseConv2D(3, **first)(kl.MaxPooling2D(**first)(x))
    x = kl.Flatten(**first)(conv(6, "b", **first)(x))
    return keras.Model(i, kl.Dense(3)(x))


@network({"a": 2, "b": 3, "c": 5}, runs=False)
def channels_first_of_all_kinds():
    first = {"data_format": "channels_first"}
    i = keras.Input((3, 6, 6))
    x = kl.PReLU(shared_axes=[2, 3])(conv(4, "a", **first)(i))
    gate = kl.Reshape((4, 1, 1))(kl.GlobalAveragePooling2D(**first)(x))
    x = kl.Concatenate(axis=1)([x * gate, i])[:, :4]
    x = conv(6, "b", groups=2, **first)(x)
    return keras.Model(i, kl.Dense(3)(kl.GlobalMaxPooling2D(**first)(conv(5, "c", **first)(x))))


@network({"a": 3, "b": 6})
def depthwise_in_one_dimension():
    i = keras.Input((12, 2))
    x = kl.DepthwiseConv1D(3, depth_multiplier=3)(kl.Conv1D(3, 3, name="a")(i))
    x = kl.SeparableConv1D(6, 3, depth_multiplier=2, name="b")(kl.BatchNormalization()(x))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(x)))


@network({"a": 4, "b": 2, "c": 2})
def transposed_and_grouped_in_one_dimension():
    i = keras.Input((12, 2))
    x = kl.Conv1D(6, 3, name="b")(kl.Conv1DTranspose(4, 3, strides=2, name="a")(i))
    x = kl.Conv1D(6, 3, groups=3, name="c")(kl.ReLU()(x))
    return keras.Model(i, kl.Dense(3)(kl.GlobalMaxPooling1D()(x)))


@network({"a": 6, "b": 5, "c": 4})
def prelu():
    i = image()
    x = kl.PReLU(shared_axes=[1, 2])(conv(6, "a")(i))
    x = kl.PReLU(name="own")(conv(5, "b")(x))
    return keras.Model(i, kl.Dense(3)(kl.PReLU()(kl.Dense(4, name="c")(kl.Flatten()(x)))))


@network({"a": 4, "b": 6, "c": 4, "d": 5})
def u_net():
    i = image()
    down = kl.ReLU()(conv(4, "a")(i))
    x = conv(6, "b")(kl.MaxPooling2D()(down))
    up = kl.Conv2DTranspose(4, 2, strides=2, name="c")(x)
    return keras.Model(i, kl.Conv2D(1, 1)(conv(5, "d")(kl.Concatenate()([up, down]))))
