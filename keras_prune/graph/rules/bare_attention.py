"""Attention without projections: scores of tensors as they are, and the sums they weigh."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Pin, Role, Unsupported
from keras_prune.graph.contraction import Operand, contract
from keras_prune.graph.rules.attention import given_tensors, shapes_of
from keras_prune.graph.rules.base import Product, ProductsRule, register
from keras_prune.graph.rules.products import named_arguments, of_one_example

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.labels import LabelWalk

layers = keras.layers


class _BareAttention(ProductsRule):
    """Scores of query and key weigh the value, whose channels pass."""

    free_weights = True  # a scale is one number, or as long as a key

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        query, key, value = _listed(call)
        read = [walk.channels(tensor, -1) for tensor in (query, key)]
        walk.unite(*read)
        self._read(call, walk, [query, key], read[0])
        passed = walk.channels(value, -1)
        out, *scores = call.outputs
        return [arrays.spread(passed, arrays.shape_of(out), -1), *map(walk.fixed, scores)]

    def _read(
        self, call: Call, walk: LabelWalk, tensors: list[keras.KerasTensor], labels: np.ndarray
    ) -> None:
        """Says how query and key are read, whose channels have the same labels."""
        raise NotImplementedError


@register(layers.Attention)
class AttentionRule(_BareAttention):
    """A channel of query and key leaves both; those of the value pass.

    `MACs = Tq · Tk · (dimension of query + that of value)`; with scores by `concat` the latter, for
    such scores are sums of tanh, which multiply nothing, and whose channels stay.
    """

    def _read(
        self, call: Call, walk: LabelWalk, tensors: list[keras.KerasTensor], labels: np.ndarray
    ) -> None:
        if call.operation.score_mode == "dot":
            walk.note_product(call, tensors, labels)
        else:
            walk.pin(labels, Pin(call.name, "its scores are sums over channels"))

    def products(self, call: Call) -> list[Product]:
        query, key, value = map(of_one_example, _listed(call))
        scores = query[-1] if call.operation.score_mode == "dot" else 0
        return [Product(_pairs(query, key) * (scores + value[-1]))]


@register(layers.AdditiveAttention)
class AdditiveAttentionRule(_BareAttention):
    """A channel of query and key leaves with its scale; those of the value pass.

    `MACs = Tq · Tk · dimension of value`, and `Tq · Tk · dimension` for the learned scale. Without
    a scale no channel of query and key leaves.
    """

    def _read(
        self, call: Call, walk: LabelWalk, tensors: list[keras.KerasTensor], labels: np.ndarray
    ) -> None:
        if call.operation.use_scale:
            walk.bind(call.operation, call.operation.scale, 0, labels, Role.CONSUMER)
        else:
            walk.pin(labels, Pin(call.name, "its scores are sums over channels"))

    def products(self, call: Call) -> list[Product]:
        query, key, value = map(of_one_example, _listed(call))
        pairs, layer = _pairs(query, key), call.operation
        scores = [Product(pairs * query[-1], (layer.scale,))] if layer.use_scale else []
        return [*scores, Product(pairs * value[-1])]


@register("DotProductAttention")
class DotProductAttentionRule(ProductsRule):
    """Whole heads of query, key and value leave.

    `MACs = heads · Tq · Tk · (length of a key + that of a value)`. Shapes are `(batch, T, heads,
    n)`. All heads of the query count, also where they share keys.
    """

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        tensors = given_tensors(call)
        operands = []
        for name, letters in (("query", "bqhd"), ("key", "bkhd"), ("value", "bkhv")):
            labels = walk.of(tensors[name])
            walk.unite(arrays.core(labels), arrays.core(labels)[..., :1])
            operands.append(Operand(letters, labels, tensors[name]))
        if tensors["query"].shape[2] != tensors["key"].shape[2]:
            raise Unsupported("heads of the query share those of the key")
        if tensors["value"].shape[-1] != call.outputs[0].shape[-1]:
            raise Unsupported("Keras gives it another shape than it has")
        beside = (tensors.get("bias"), tensors.get("mask"))
        if any(each is not None and np.shape(each)[1:2] != (1,) for each in beside):
            raise Unsupported("its mask or bias may differ from head to head")
        if any(operand.varying("k") for operand in operands):
            raise Unsupported("its scores are a statistic over channels")
        return [contract(call, walk, operands, "bqhv")]

    def products(self, call: Call) -> list[Product]:
        query, key, value = shapes_of(call)
        return [Product(query[2] * query[1] * key[1] * (query[-1] + value[-1]))]


def _listed(call: Call) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
    """Query, key and value of a layer that takes them as `[query, value, key]`."""
    query, value, *key = named_arguments(call)["inputs"]
    return query, (key or [value])[0], value


def _pairs(query: tuple[int, ...], key: tuple[int, ...]) -> int:
    """How many scores there are."""
    return math.prod(query[:-1]) * key[-2]
