"""Attention: projections, scores, and the sums they weigh. No channel leaves it yet."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras

from keras_prune.graph.rules.base import BarrierRule, Product, register
from keras_prune.graph.rules.products import named_arguments, of_one_example

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call

layers = keras.layers

_OF_QUERY = ("query", "gate", "attention_output")


@register(layers.MultiHeadAttention, layers.GroupQueryAttention)
class ProjectedAttentionRule(BarrierRule):
    """`MACs = projections + heads · Tq · Tk · (key length + value length) · positions beside`.

    A projection costs its kernel's size at each position of what it reads: those of query, gate
    and output at the query's `Tq`, those of key and value at their `Tk`. With `attention_axes`
    `Tq` and `Tk` are products over these axes, and all of it runs at each position beside them.
    Grouped queries repeat keys and values, so that scores count for every head of the query.
    """

    def products(self, call: Call) -> list[Product]:
        kernels, at = self._projections(call), self._positions(call)
        found = [Product(math.prod(k.shape) * at[name], (k,)) for name, k in kernels.items()]
        _, heads, per_score = kernels["query"].shape
        per_sum = kernels["value"].shape[-1]
        _, key, _ = _shapes(call)
        axes = getattr(call.operation, "attention_axes", None) or (1,)
        seen = math.prod(key[axis] for axis in axes)
        return [*found, Product(heads * at["query"] * seen * (per_score + per_sum))]

    def additions(self, call: Call) -> int:
        at = self._positions(call)
        return sum(math.prod(b.shape) * at[name] for name, b in _named(call, "bias").items())

    def _projections(self, call: Call) -> dict[str, Any]:
        return _named(call, "kernel")

    def _positions(self, call: Call) -> dict[str, int]:
        """How often each projection is computed."""
        query, key, value = (math.prod(shape[:-1]) for shape in _shapes(call))
        return dict.fromkeys(_OF_QUERY, query) | {"key": key, "value": value}


@register(layers.Attention)
class AttentionRule(BarrierRule):
    """`MACs = Tq · Tk · (dimension of query + that of value)`; with scores by `concat` the latter.

    Such scores are sums of tanh, which multiply nothing.
    """

    def products(self, call: Call) -> list[Product]:
        query, key, value = _listed(call)
        scores = query[-1] if call.operation.score_mode == "dot" else 0
        return [Product(_pairs(query, key) * (scores + value[-1]))]


@register(layers.AdditiveAttention)
class AdditiveAttentionRule(BarrierRule):
    """`MACs = Tq · Tk · dimension of value`, and `Tq · Tk · dimension` for the learned scale."""

    def products(self, call: Call) -> list[Product]:
        query, key, value = _listed(call)
        pairs, layer = _pairs(query, key), call.operation
        scores = [Product(pairs * query[-1], (layer.scale,))] if layer.use_scale else []
        return [*scores, Product(pairs * value[-1])]


@register("DotProductAttention")
class DotProductAttentionRule(BarrierRule):
    """`MACs = heads · Tq · Tk · (length of a key + that of a value)`.

    Shapes are `(batch, T, heads, n)`. All heads of the query count, also where they share keys.
    """

    def products(self, call: Call) -> list[Product]:
        query, key, value = _shapes(call)
        return [Product(query[2] * query[1] * key[1] * (query[-1] + value[-1]))]


def _shapes(call: Call) -> tuple[tuple[int, ...], ...]:
    """The shapes of query, key and value of one example; the key is the value if there is none."""
    given = named_arguments(call)
    key = given.get("key")
    found = (given["query"], given["value"] if key is None else key, given["value"])
    return tuple(map(of_one_example, found))


def _listed(call: Call) -> tuple[tuple[int, ...], ...]:
    """Likewise of a layer that takes the list `[query, value, key]`."""
    query, value, *key = named_arguments(call)["inputs"]
    return tuple(map(of_one_example, (query, *(key or [value]), value)))


def _pairs(query: tuple[int, ...], key: tuple[int, ...]) -> int:
    """How many scores there are."""
    return math.prod(query[:-1]) * key[-2]


def _named(call: Call, kind: str) -> dict[str, Any]:
    """The weights of one kind by the projection they belong to."""
    paths = {weight.path: weight for weight in call.operation.weights}
    return {p.split("/")[-2]: w for p, w in paths.items() if p.endswith(f"/{kind}")}
