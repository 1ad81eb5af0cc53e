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


@network({"d": 4}, barriers=["lstm", "both", "steps"])
def recurrent():
    i = tokens()
    x = kl.Embedding(9, 8, mask_zero=True, name="table")(i)
    x = kl.LSTM(7, return_sequences=True, name="lstm")(x)
    x = kl.Bidirectional(kl.GRU(4, return_sequences=True), name="both")(kl.Dense(5)(x))
    x = kl.TimeDistributed(kl.Dense(3), name="steps")(kl.Dense(6)(x))
    return keras.Model(i, kl.Dense(2)(kl.Dense(4, name="d")(ops.mean(x, axis=1))))


@network({"wide": 12, "late": 5}, barriers=["attention"])
def transformer():
    i = keras.Input((6, 4))
    x = kl.Dense(8, name="a")(i)
    x = x + kl.MultiHeadAttention(2, 4, name="attention")(x, x)
    x = x + kl.Dense(8)(kl.Dense(12, activation="gelu", name="wide")(x))
    return keras.Model(i, kl.Dense(3)(kl.Dense(5, name="late")(kl.GlobalAveragePooling1D()(x))))


@network({"c": 5}, barriers=["matmul", "einsum", "dot"])
def products():
    i = keras.Input((6, 4))
    x, y = kl.Dense(8, name="a")(i), kl.Dense(8, name="b")(i)
    z = ops.matmul(x, ops.transpose(y, (0, 2, 1)))
    z = z + ops.einsum("btc,bsc->bts", x, y) + kl.Dot(2, name="dot")([x, y])
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.Dense(5, name="c")(z))))
