"""Sequences: embeddings, recurrent layers, attention."""

import keras
from keras import layers as kl
from keras import ops

from tests.networks.base import network


def tokens() -> keras.KerasTensor:
    return keras.Input((6,), dtype="int32")


@network({"a": 8, "embedding": 7})
def masked():
    i = tokens()
    x = kl.Dense(8, name="a")(kl.Embedding(5, 7, mask_zero=True, name="embedding")(i))
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(x)))


@network({"table": 8, "b": 5})
def embedded():
    i = tokens()
    x = kl.Conv1D(5, 3, name="b")(kl.Embedding(9, 8, name="table")(i))
    return keras.Model(i, kl.Dense(3)(kl.GlobalMaxPooling1D()(x)))


@network({"table": 8})
def embedded_numbers():
    """What a table is asked for cannot be left out."""
    i = keras.Input((5,))
    x = ops.cast(ops.clip(ops.abs(kl.Dense(7, name="a")(i)), 0, 8), "int32")
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.Embedding(9, 8, name="table")(x))))


@network({"table": 8})
def embedded_twice():
    one, two = tokens(), tokens()
    table = kl.Embedding(9, 8, name="table")
    places = kl.Embedding(6, 8, name="places")(ops.cumsum(ops.ones_like(one), axis=1) - 1)
    x = kl.Concatenate(axis=1)([table(one) + places, table(two)])
    return keras.Model([one, two], kl.Dense(3)(kl.Flatten()(x)))


@network({"a": 8, "attention/heads": 2, "attention/value": 4, "wide": 12, "late": 5})
def transformer():
    i = keras.Input((6, 4))
    x = kl.Dense(8, name="a")(i)
    x = x + kl.MultiHeadAttention(2, 4, name="attention")(x, x)
    x = x + kl.Dense(8)(kl.Dense(12, activation="gelu", name="wide")(x))
    return keras.Model(i, kl.Dense(3)(kl.Dense(5, name="late")(kl.GlobalAveragePooling1D()(x))))


@network({"b": 8, "c": 5})
def products():
    i = keras.Input((6, 4))
    x, y = kl.Dense(8, name="a")(i), kl.Dense(8, name="b")(i)
    z = ops.matmul(x, ops.transpose(y, (0, 2, 1)))
    z = z + ops.einsum("btc,bsc->bts", x, y) + kl.Dot(2, name="dot")([x, y])
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.Dense(5, name="c")(z))))


@network({"a": 8, "wide": 10})
def mixed_positions():
    """A dense layer over positions: channels pass it, as many as are made beside them stay."""
    i = keras.Input((6, 4))
    x = kl.Dense(8, name="a")(i)
    y = kl.Dense(5, activation="gelu", name="narrow")(kl.Permute((2, 1))(x))
    x = x + kl.Permute((2, 1))(kl.Dense(6, name="back")(y))
    x = x + kl.Dense(8)(kl.Dense(10, activation="gelu", name="wide")(x))
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(x)))


@network({"narrow": 5, "wide": 10}, ["layer_normalization"])
def mixed_positions_of_normed_channels():
    """Channels that stay leave what is made beside them."""
    i = keras.Input((6, 4))
    x = kl.LayerNormalization()(kl.Dense(8, name="a")(i))
    y = kl.Dense(5, activation="gelu", name="narrow")(kl.Permute((2, 1))(x))
    x = x + kl.Permute((2, 1))(kl.Dense(6, name="back")(y))
    x = x + kl.Dense(8)(kl.Dense(10, activation="gelu", name="wide")(x))
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(x)))
