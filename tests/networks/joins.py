"""Tensors that meet: residuals, concatenations, gates."""

from collections.abc import Callable

import keras
from keras import layers as kl
from keras import ops

from tests.networks.base import conv, head, image, network


@network({"stem": 8, "m1": 6, "m2": 5})
def residual():
    i = image()
    x = kl.ReLU()(kl.BatchNormalization()(conv(8, "stem")(i)))
    for number, middle in ((1, 6), (2, 5)):
        y = kl.ReLU()(kl.BatchNormalization()(conv(middle, f"m{number}")(x)))
        y = kl.BatchNormalization()(conv(8, f"out{number}")(y))
        x = kl.ReLU()(kl.Add()([x, y]))
    return keras.Model(i, head(x))


@network({"b": 8})
def joins_of_all_kinds():
    i = image()
    a, b, c = conv(8, "a")(i), conv(8, "b")(i), conv(8, "c")(i)
    x = kl.Maximum()([kl.Average()([a, b, c]), kl.Subtract()([a, b])])
    x = kl.Minimum()([x, kl.Multiply()([b, c])]) + a * 0.5 - b / (ops.abs(c) + 1.0)
    return keras.Model(i, head(ops.maximum(ops.relu(x), 0.1)))


@network({})
def residual_with_the_input():
    i = image(8)
    return keras.Model(i, head(kl.Add()([i, conv(8, "a")(i)])))


def squeeze_excite(x: keras.KerasTensor, channels: int, squeeze: Callable) -> keras.KerasTensor:
    gate = kl.Conv2D(4, 1, activation="relu", name="squeeze")(squeeze(x))
    gate = kl.Conv2D(channels, 1, activation="sigmoid", name="excite")(gate)
    return kl.Multiply()([x, gate])


@network({"a": 8, "squeeze": 4})
def squeeze_excite_reshaped():
    i = image()
    x = kl.BatchNormalization()(conv(8, "a")(i))
    gap = lambda x: kl.Reshape((1, 1, 8))(kl.GlobalAveragePooling2D()(x))  # noqa: E731
    return keras.Model(i, head(squeeze_excite(x, 8, gap)))


@network({"a": 8, "squeeze": 4})
def squeeze_excite_keepdims():
    i = image()
    x = kl.DepthwiseConv2D(3)(conv(8, "a")(i))
    return keras.Model(i, head(squeeze_excite(x, 8, kl.GlobalAveragePooling2D(keepdims=True))))


@network({"a": 8, "squeeze": 4})
def gate_of_lower_rank():
    i = keras.Input((6, 3))
    x = kl.Conv1D(8, 3, name="a")(i)
    gate = kl.Dense(4, name="squeeze")(kl.GlobalAveragePooling1D()(x))
    gate = kl.Reshape((8,))(kl.Dense(8, activation="sigmoid", name="excite")(gate))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(x * kl.Reshape((1, 8))(gate))))


@network({"a": 8})
def one_channel_gate():
    i = image()
    x = conv(8, "a")(i)
    return keras.Model(i, head(kl.Multiply()([x, conv(1, "gate", activation="sigmoid")(x)])))


@network({"a": 8, "b": 6, "c": 5})
def concat():
    i = image()
    a, b = conv(8, "a")(i), conv(6, "b")(i)
    x = kl.ReLU()(kl.BatchNormalization()(kl.Concatenate()([a, i, b])))
    return keras.Model(i, head(kl.Concatenate()([conv(5, "c")(x), a])))


@network({"a": 8, "b": 2})
def concat_twice_the_same():
    i = image()
    x = conv(8, "a")(i)
    return keras.Model(i, head(conv(2, "b")(kl.BatchNormalization()(kl.Concatenate()([x, x])))))


@network({"d": 8, "d:2": 6, "e": 2})
def concat_then_add():
    i = image()
    x = kl.Concatenate()([conv(8, "a")(i), conv(6, "b")(i), conv(2, "c")(i)])
    y = kl.Concatenate()([conv(14, "d")(i), conv(2, "e")(i)])
    return keras.Model(i, head(kl.Add()([x, y])))


@network({"a": 8})
def concat_in_space():
    i = image()
    x = kl.Concatenate(axis=1)([conv(8, "a")(i), conv(8, "b")(i)])
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.ReLU()(x))))


@network({"a": 2, "flat": 4, "squeeze": 3})
def gate_meets_rows():
    """The gate varies along channels, what it meets along rows, columns and channels."""
    i = keras.Input((4, 4, 2))
    x = kl.Conv2D(2, 1, name="a")(i)
    x = kl.MaxPooling2D((2, 1))(kl.Concatenate(axis=1)([x, x]))
    x = kl.Reshape((4, 4, 4))(kl.Dense(64, name="flat")(kl.Flatten()(x)))
    gate = kl.Reshape((1, 1, 4))(kl.GlobalAveragePooling2D()(x))
    gate = kl.Dense(4, name="excite")(kl.Dense(3, name="squeeze")(gate))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.Multiply()([x, gate]))))


@network({"a": 1, "squeeze": 3})
def gate_meets_permuted_rows():
    """Rows that were channels are gathered with rows of channels: all of them are one unit."""
    i = keras.Input((4, 4, 2))
    x = kl.Permute((3, 1, 2))(kl.Conv2D(4, 1, name="a")(i))
    x = kl.Concatenate(axis=1)([x, kl.Conv2D(4, 1, name="b")(i)])
    gate = kl.Reshape((1, 1, 4))(kl.GlobalAveragePooling2D()(x))
    gate = kl.Dense(4, name="excite")(kl.Dense(3, name="squeeze")(gate))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.Multiply()([x, gate]))))
