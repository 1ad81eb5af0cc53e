"""Channels laid out in other shapes."""

import keras
from keras import layers as kl

from tests.networks.base import conv, head, image, network


@network({"a": 8, "b": 6})
def permuted():
    i = image()
    x = kl.Permute((3, 1, 2))(conv(8, "a")(i))
    x = kl.Dense(6, name="b")(kl.Permute((2, 3, 1))(x))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.Permute((3, 2, 1))(x))))


@network({"a": 6})
def reshaped_to_pairs():
    i = keras.Input((4,))
    x = kl.Reshape((6, 2))(kl.Dense(12, name="a")(i))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.ReLU()(x))))


@network({"a": 2, "b": 5})
def reshaped_to_many_positions():
    i = keras.Input((4,))
    x = kl.Reshape((9, 2))(kl.Dense(18, name="a")(i))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.Conv1D(5, 3, name="b")(x))))


@network({"a": 8, "b": 5})
def reshaped_with_a_wildcard():
    i = image()
    x = kl.Reshape((-1, 8))(conv(8, "a")(i))
    x = kl.Reshape((-1,))(kl.Dense(5, name="b")(x))
    return keras.Model(i, kl.Dense(3)(x))


@network({"a": 8}, barriers=["reshape"])
def reshape_called_with_two_shapes():
    i = image()
    reshape = kl.Reshape((-1, 8), name="reshape")
    near, far = conv(8, "b")(i), conv(8, "c", strides=2)(i)
    ends = [kl.Conv1D(2, 1)(reshape(x)) for x in (near, far)]
    return keras.Model(i, [*ends, head(conv(8, "a")(i))])


@network({"b": 8})
def reshape_called_twice():
    i = image()
    reshape = kl.Reshape((-1, 8))
    return keras.Model(i, [kl.Conv1D(2, 1)(reshape(conv(8, name)(i))) for name in "ab"])
