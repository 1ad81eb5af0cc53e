"""Attention: whole heads, widths of values, what is read and what is made."""

import keras
import numpy as np
from keras import layers as kl
from keras import ops

from tests.networks.base import network


def steps(width: int = 5) -> keras.KerasTensor:
    return keras.Input((6, width))


def end(i: object, x: keras.KerasTensor) -> keras.Model:
    return keras.Model(i, kl.Dense(3)(ops.mean(x, axis=1)))


@network({"a": 8, "attention/heads": 4, "attention/value": 3, "attention/output": 7})
def attending():
    """Query, key and value from one tensor; its output is a width of its own."""
    i = steps()
    x = kl.Dense(8, name="a")(i)
    return end(i, kl.MultiHeadAttention(4, 3, output_shape=7, name="attention")(x, x))


@network({"q": 8, "v": 7, "k": 5, "attention/heads": 4, "attention/value": 3})
def attending_across():
    """Three tensors of three widths; the output meets the query."""
    i, j = steps(), keras.Input((9, 4))
    query, value, key = kl.Dense(8, name="q")(i), kl.Dense(7, name="v")(j), kl.Dense(5, name="k")(j)
    attention = kl.MultiHeadAttention(4, 3, use_bias=False, name="attention")
    return end([i, j], query + attention(query, value, key))


@network({"a": 6, "attention/heads": 2, "attention/value": 4, "attention/output": 6, "b": 5})
def gated_and_scored():
    """The scores of each head are read by another layer."""
    i = steps()
    x = kl.Dense(6, name="a")(i)
    attention = kl.MultiHeadAttention(2, 4, use_gate=True, name="attention")
    x, scores = attention(x, x, use_causal_mask=True, return_attention_scores=True)
    seen = kl.Dense(5, name="b")(ops.mean(ops.transpose(scores, (0, 2, 3, 1)), axis=(1, 2)))
    return keras.Model(i, kl.Dense(3)(ops.concatenate([ops.mean(x, axis=1), seen], axis=-1)))


@network({"a": 6, "rows/heads": 3, "rows/value": 4, "rows/output": 6})
def attending_rows():
    """Attention along one of two axes."""
    i = keras.Input((5, 4, 2))
    x = kl.Dense(6, name="a")(i)
    x = kl.MultiHeadAttention(3, 4, attention_axes=2, name="rows")(x, x)
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling2D()(x)))


@network({"grouped/heads": 3, "a": 6})
def grouped_queries():
    """Two heads of the query share one of key and value; the output is as wide as the query."""
    i = steps()
    x = kl.Dense(6, name="a")(i)
    return end(i, kl.GroupQueryAttention(4, 6, 3, name="grouped")(x, x))


@network({"shared/heads": 5, "a": 6})
def one_key_for_all():
    i = steps()
    x = kl.Dense(6, name="a")(i)
    x = x + kl.GroupQueryAttention(4, 5, 1, use_gate=True, use_bias=False, name="shared")(x, x)
    return end(i, x)


@network({"a": 6, "for_all/heads": 2, "for_all/value": 3}, barriers=["by_head"])
def masked_head_by_head():
    """A mask for each head makes a barrier; the one for all does not."""
    i = steps()
    x = kl.Dense(6, name="a")(i)
    one, each = np.tri(6, dtype=bool)[None], np.ones((1, 2, 6, 6), bool)
    x = kl.MultiHeadAttention(2, 3, name="for_all")(x, x, attention_mask=one)
    return end(i, kl.MultiHeadAttention(2, 3, name="by_head")(x, x, attention_mask=each))


def by_head(layer: str, heads: int, width: int) -> kl.EinsumDense:
    return kl.EinsumDense("abc,cde->abde", (6, heads, width), bias_axes="de", name=layer)


@network({"a": 6, "q": 4, "v": 5, "out": 7})
def attention_of_einsums():
    """Widths of keys and of values in all heads."""
    i = steps()
    x = kl.Dense(6, name="a")(i)
    q, k, v = by_head("q", 2, 4)(x), by_head("k", 2, 4)(x), by_head("v", 2, 5)(x)
    scores = ops.softmax(ops.einsum("bthd,bshd->bhts", q, k) / 2)
    x = ops.einsum("bhts,bshd->bthd", scores, v)
    x = kl.EinsumDense("abcd,cde->abe", (6, 7), bias_axes="e", name="out")(x)
    return end(i, x)


def split_heads(x: keras.KerasTensor, heads: int) -> keras.KerasTensor:
    x = ops.reshape(x, (-1, 6, heads, x.shape[-1] // heads))
    return ops.transpose(x, (0, 2, 1, 3))


@network({"a": 6, "k": 4, "v": 5, "out": 6})
def attention_of_matmuls():
    i = steps()
    x = kl.Dense(6, name="a")(i)
    q, k, v = (
        split_heads(kl.Dense(2 * n, name=name)(x), 2)
        for name, n in zip("qkv", (4, 4, 5), strict=True)
    )
    scores = kl.Softmax()(ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) * 0.5)
    x = ops.transpose(ops.matmul(scores, v), (0, 2, 1, 3))
    return end(i, kl.Dense(6, name="out")(ops.reshape(x, (-1, 6, 10))))


@network({"a": 6, "qkv": 3, "out": 6})
def attention_from_one_dense():
    """Query, key and value in one kernel: their widths leave together."""
    i = steps()
    x = kl.Dense(6, name="a")(i)
    x = ops.reshape(kl.Dense(18, use_bias=False, name="qkv")(x), (-1, 6, 3, 2, 3))
    q, k, v = (x[:, :, number] for number in range(3))
    scores = ops.softmax(ops.einsum("bthd,bshd->bhts", q, k))
    x = ops.reshape(ops.einsum("bhts,bshd->bthd", scores, v), (-1, 6, 6))
    return end(i, kl.Dense(6, name="out")(x))


@network({"a": 6, "c": 4, "late": 3})
def products_of_tensors():
    """A tensor that is summed over with another one; one that passes by."""
    i, j = steps(), steps(4)
    x, y = kl.Dense(6, name="a")(i), kl.Dense(6, name="b")(j)
    near = kl.Dot(axes=(2, 2), name="dot")([x, y])
    z = ops.matmul(near, kl.Dense(4, name="c")(j))
    return keras.Model([i, j], kl.Dense(3)(kl.Flatten()(kl.Dense(3, name="late")(z))))


def many_heads(value: int) -> keras.Model:
    i = steps()
    q, k, v = by_head("q", 4, 2)(i), by_head("k", 4, 2)(i), by_head("v", 4, value)(i)
    scores = ops.softmax(ops.einsum("bthd,bshd->bhts", q, k))
    x = ops.einsum("bhts,bshd->bthd", scores, v)
    return end(i, kl.EinsumDense("abcd,cde->abe", (6, 3), name="out")(x))


@network({"q": 4, "out": 3})
def more_heads_than_widths():
    """Whole heads leave where there are more of them than numbers in each."""
    return many_heads(2)


@network({"v": 7, "out": 3})
def heads_that_values_keep():
    """Values lose widths, so that queries and keys keep their heads."""
    return many_heads(7)


@network({"b": 3})
def met_by_what_stays():
    """An axis that is shared with a model input stays."""
    i = steps()
    x = ops.einsum("btc,bsc->btsc", kl.Dense(5, name="a")(i), i)
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.Dense(3, name="b")(x))))


@network({"q": 8, "v": 7, "b": 5})
def bare_attention():
    """Query and key have one width, the value has another."""
    i, j = steps(), keras.Input((9, 4))
    query, key, value = kl.Dense(8, name="q")(i), kl.Dense(8, name="k")(j), kl.Dense(7, name="v")(j)
    x = kl.Attention(use_scale=True, name="bare")([query, value, key])
    return end([i, j], kl.Dense(5, name="b")(x))


@network({"a": 8})
def bare_self_attention():
    i = steps()
    x = kl.Dense(8, name="a")(i)
    return end(i, kl.Attention()([x, x]))


@network({"v": 7})
def bare_attention_by_sums_of_tanh():
    i = steps()
    x, value = kl.Dense(8, name="q")(i), kl.Dense(7, name="v")(i)
    return end(i, kl.Attention(score_mode="concat", name="bare")([x, value, x]))


@network({"q": 8, "v": 7, "b": 5})
def additive_attention():
    """Its scores are read, too."""
    i = steps()
    query, key, value = (kl.Dense(n, name=name)(i) for n, name in ((8, "q"), (8, "k"), (7, "v")))
    layer = kl.AdditiveAttention(name="additive")
    x, scores = layer([query, value, key], return_attention_scores=True)
    seen = kl.Dense(5, name="b")(scores)
    return keras.Model(i, kl.Dense(3)(ops.mean(ops.concatenate([x, seen], axis=-1), axis=1)))


@network({"v": 7})
def unscaled_additive_attention():
    i = steps()
    query, value = kl.Dense(8, name="q")(i), kl.Dense(7, name="v")(i)
    return end(i, kl.AdditiveAttention(use_scale=False)([query, value, query]))


@network({"v": 3, "b": 5})
def dot_product_attention():
    """Whole heads of an op."""
    i = steps()
    q, k, v = (kl.Reshape((6, 3, 2))(kl.Dense(6, name=name)(i)) for name in "qkv")
    x = ops.dot_product_attention(q, k, v, is_causal=True)
    return end(i, kl.Dense(5, name="b")(kl.Reshape((6, 6))(x)))


@network({"table": 8, "wide": 5})
def tied_table():
    """What looks up vectors reads them, too."""
    i = keras.Input((6,), dtype="int32")
    table = kl.ReversibleEmbedding(9, 8, logit_soft_cap=3.0, name="table")
    x = table(i)
    x = x + kl.Dense(8)(kl.Dense(5, activation="tanh", name="wide")(x))
    return keras.Model(i, table(x, reverse=True))


@network({"table": 8, "wide": 5})
def table_behind_another():
    """What is multiplied with the table is made by another layer."""
    i = keras.Input((6,), dtype="int32")
    table = kl.ReversibleEmbedding(9, 8, name="table")
    x = kl.Dense(8, name="mid")(kl.Dense(5, activation="tanh", name="wide")(table(i)))
    return keras.Model(i, table(x, reverse=True))


@network({"table": 8})
def untied_table():
    i = keras.Input((6,), dtype="int32")
    table = kl.ReversibleEmbedding(9, 8, tie_weights=False, name="table")
    return keras.Model(i, table(ops.tanh(table(i)), reverse=True))


@network({"one": 8})
def dot_of_vectors():
    """Two tables, whose vectors are multiplied."""
    i, j = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
    one, other = kl.Embedding(9, 8, name="one")(i), kl.Embedding(9, 8, name="other")(j)
    return keras.Model([i, j], kl.Dense(3)(kl.Dot(axes=1, name="dot")([one, other])))


@network({"a": 6, "w": 4})
def stack_weighed():
    """What is summed by weights that stay has one channel each."""
    i = steps()
    x, y, w = kl.Dense(6, name="a")(i), kl.Dense(6, name="b")(i), kl.Dense(4, name="w")(i)
    gates = kl.Dense(2, activation="softmax", name="gates")(w)
    both = ops.stack([x, y], axis=2)
    return end(i, ops.squeeze(ops.matmul(ops.expand_dims(gates, 2), both), 2))


@network({}, barriers=["dot"])
def product_beside_channels():
    """Channels that only pass the factors' makers are not silenced there."""
    i = steps()
    x = kl.Permute((2, 1))(kl.Conv1D(6, 3, padding="same", name="a")(i))
    one, other = kl.Dense(2, name="b")(x), kl.Dense(2, name="c")(x)
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.Dot(axes=1, name="dot")([one, other]))))


@network({"b": 6})
def product_of_gated():
    """What a gate is made of is not the channels it is repeated along."""
    i = steps()
    one = kl.Dense(1, name="gate")(i) * kl.Dense(6, name="b")(i)
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.Dot(axes=2, name="dot")([one, one]))))
