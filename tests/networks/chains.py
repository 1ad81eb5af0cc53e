"""Chains of layers, at sizes known and unknown."""

import keras
from keras import layers as kl

from tests.networks.base import conv, head, image, network


@network({"a": 8, "b": 6, "c": 10})
def chain():
    x = i = image()
    x = conv(8, "a", use_bias=False)(x)
    x = kl.MaxPooling2D()(kl.ReLU()(kl.BatchNormalization()(x)))
    x = kl.Dropout(0.5)(kl.AveragePooling2D(3)(conv(6, "b", activation="gelu")(x)))
    x = kl.Activation("tanh")(kl.Dense(10, name="c")(kl.Flatten()(x)))
    return keras.Model(i, kl.Dense(4, activation="softmax")(x))


@network({"a": 8, "b": 5})
def sequential():
    return keras.Sequential([
        image(), conv(8, "a"), kl.BatchNormalization(), kl.ReLU(), kl.Flatten(),
        kl.Dense(5, name="b", activation="relu"), kl.BatchNormalization(scale=False), kl.Dense(4),
    ])  # fmt: skip


@network({"a": 8, "b": 6})
def one_dimension():
    i = keras.Input((12, 2))
    x = kl.MaxPooling1D()(kl.Conv1D(8, 3, name="a")(i))
    x = kl.UpSampling1D()(kl.Cropping1D(1)(kl.ZeroPadding1D(1)(x)))
    x = kl.SeparableConv1D(6, 3, depth_multiplier=2, name="b")(kl.DepthwiseConv1D(3)(x))
    return keras.Model(i, kl.Dense(3)(kl.GlobalMaxPooling1D()(x)))


@network({"a": 4, "b": 6})
def three_dimensions():
    i = keras.Input((4, 4, 4, 2))
    x = kl.MaxPooling3D()(kl.Conv3D(4, 3, padding="same", name="a")(i))
    x = kl.Conv3DTranspose(6, 2, strides=2, name="b")(x)
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(x)))


@network({"a": 8, "b": 6})
def padding_cropping_upsampling():
    x = i = image()
    x = kl.ZeroPadding2D(2)(conv(8, "a")(x))
    x = kl.UpSampling2D()(kl.Cropping2D(((1, 0), (2, 1)))(x))
    return keras.Model(i, head(kl.LeakyReLU(0.2)(conv(6, "b")(x))))


@network({"a": 8, "b": 6})
def unknown_size():
    i = image(size=None)
    x = kl.BatchNormalization()(conv(8, "a")(i))
    x = kl.Reshape((-1, 8))(x)
    x = kl.Conv1D(6, 3, name="b")(x)
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(x)))


@network({"a": 8})
def unknown_size_concat():
    i = image(size=None)
    a = kl.Concatenate(axis=1)([conv(8, "a")(i), conv(8, "b")(i)])
    return keras.Model(i, head(kl.Add()([a, kl.ReLU()(a)])))


@network({}, barriers=["flatten"])
def unknown_size_flatten():
    i = image(size=None)
    return keras.Model(i, kl.Flatten(name="flatten")(conv(8, "a")(i)))


@network({"b": 5}, barriers=["reshape"])
def unknown_size_behind_channels():
    i = image(size=None)
    x = kl.Reshape((8, -1), name="reshape")(kl.Permute((3, 1, 2))(conv(8, "a")(i)))
    x = kl.Conv1D(5, 1, name="b")(kl.Permute((2, 1))(x))
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(x)))


@network({"a": 8})
def unknown_size_behind_a_known_one():
    i = keras.Input((4, None, 3))
    x = kl.Reshape((-1, 8))(conv(8, "a")(i))
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(x)))
