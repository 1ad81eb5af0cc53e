"""Attention with projections of its own. Whole heads leave it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Pin, Role, Unsupported
from keras_prune.graph.rules.base import Product, ProductsRule, register
from keras_prune.graph.rules.products import named_arguments, of_one_example

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk

layers = keras.layers

_OF_QUERY = ("query", "gate", "attention_output")


class _ProjectedAttention(ProductsRule):
    """`MACs = projections + heads · Tq · Tk · (key length + value length) · positions beside`.

    A projection costs its kernel's size at each position of what it reads: those of query, gate
    and output at the query's `Tq`, those of key and value at their `Tk`. With `attention_axes`
    `Tq` and `Tk` are products over these axes, and all of it runs at each position beside them.
    Grouped queries repeat keys and values, so that scores count for every head of the query.
    """

    def _read(self, call: Call, walk: LabelWalk) -> dict[str, np.ndarray]:
        """Ties kernels to the channels they read; returns those by the names of the arguments."""
        given = given_tensors(call)
        mask, (rank, axis) = given.get("attention_mask"), _scores(call)
        if mask is not None and len(mask.shape) == rank and mask.shape[axis] != 1:
            raise Unsupported("its mask may differ from head to head")
        read = {name: walk.channels(given[name], -1) for name in ("query", "key", "value")}
        for name, kernel in _named(call, "kernel").items():
            if name != "attention_output":
                source = read.get(name, read["query"])
                walk.bind(call.operation, kernel, 0, source, Role.CONSUMER)
        return read

    def _bind_heads(self, call: Call, walk: LabelWalk, query: np.ndarray, key: np.ndarray) -> None:
        """Ties each head to its slices of all projections."""
        for name, kernel in _named(call, "kernel").items():
            heads = key if name in ("key", "value") else query
            if name == "attention_output":
                walk.bind(call.operation, kernel, 0, heads, Role.CONSUMER)
            else:
                walk.bind(call.operation, kernel, 1, heads, Role.PRODUCER)
        for name, bias in _named(call, "bias").items():
            if name != "attention_output":
                walk.bind(call.operation, bias, 0, key if name in ("key", "value") else query)

    def _written(
        self, call: Call, walk: LabelWalk, out: np.ndarray, heads: np.ndarray
    ) -> list[np.ndarray]:
        """The labels of what it returns: the sums, and the scores of each head if asked for."""
        shapes = [arrays.shape_of(tensor) for tensor in call.outputs]
        found = [arrays.spread(out, shapes[0], -1)]
        if len(shapes) > 1:
            rank, axis = _scores(call)
            if len(shapes[1]) != rank or shapes[1][axis] != len(heads):
                raise Unsupported("Keras gives its scores another shape than they have")
            found.append(arrays.spread(heads, shapes[1], axis))
        return found

    def products(self, call: Call) -> list[Product]:
        kernels, at = _named(call, "kernel"), self._positions(call)
        found = [Product(math.prod(k.shape) * at[name], (k,)) for name, k in kernels.items()]
        _, heads, per_score = kernels["query"].shape
        per_sum = kernels["value"].shape[-1]
        _, key, _ = shapes_of(call)
        axes = getattr(call.operation, "attention_axes", None) or (1,)
        seen = math.prod(key[axis] for axis in axes)
        return [*found, Product(heads * at["query"] * seen * (per_score + per_sum))]

    def additions(self, call: Call) -> int:
        at = self._positions(call)
        return sum(math.prod(b.shape) * at[name] for name, b in _named(call, "bias").items())

    def _positions(self, call: Call) -> dict[str, int]:
        """How often each projection is computed."""
        query, key, value = (math.prod(shape[:-1]) for shape in shapes_of(call))
        return dict.fromkeys(_OF_QUERY, query) | {"key": key, "value": value}


@register(layers.MultiHeadAttention)
class MultiHeadAttentionRule(_ProjectedAttention):
    """A head leaves with its query, key, value and gate, and its rows of the output's kernel.

    So does a number of each value, in all heads at once, but on JAX, where Keras wants values as
    wide as keys. Those of keys stay, for scores are divided by the root of how many there are.
    """

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer, kernels = call.operation, _named(call, "kernel")
        if len(call.outputs[0].shape) != len(call.inputs[0].shape):
            raise Unsupported("its output has other axes than its query")
        self._read(call, walk)
        heads = walk.produce(layer, kernels["query"], 1, "heads")
        self._bind_heads(call, walk, heads, heads)
        values = walk.produce(layer, kernels["value"], 2, "value")
        if keras.backend.backend() == "jax":
            walk.pin(values, Pin(call.name, "on JAX values must be as wide as keys"))
        biases = _named(call, "bias")
        walk.bind(layer, kernels["attention_output"], 1, values, Role.CONSUMER)
        if "gate" in kernels:
            walk.bind(layer, kernels["gate"], 2, values, Role.PRODUCER)
        for name in {"value", "gate"} & biases.keys():
            walk.bind(layer, biases[name], 1, values)
        out = walk.produce(layer, kernels["attention_output"], 2, "output")
        walk.bind(layer, biases.get("attention_output"), 0, out)
        return self._written(call, walk, out, heads)

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        kernels, out = _named(call, "kernel"), cut.size(call.outputs[0], -1)
        follows = config["output_shape"] is None and out == cut.size(
            given_tensors(call)["query"], -1
        )
        return config | {
            "num_heads": cut.length(kernels["query"], 1),
            "value_dim": cut.length(kernels["value"], 2),
            "output_shape": None if follows else (out,),
        }


@register(layers.GroupQueryAttention)
class GroupQueryAttentionRule(_ProjectedAttention):
    """A head of key and value leaves with all heads of the query that share it.

    Where all share one, those of the query leave one by one. The output is as wide as the query.
    """

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer, kernels = call.operation, _named(call, "kernel")
        read = self._read(call, walk)
        if layer.num_key_value_heads == 1:
            heads = walk.produce(layer, kernels["query"], 1, "heads")
            shared = np.zeros(1, int)
        else:
            shared = walk.produce(layer, kernels["key"], 1, "heads")
            heads = np.repeat(shared, layer.num_query_heads // layer.num_key_value_heads)
        self._bind_heads(call, walk, heads, shared)
        out = walk.produce(layer, kernels["attention_output"], 2, "output")
        walk.bind(layer, _named(call, "bias").get("attention_output"), 0, out)
        walk.unite(out, read["query"])
        return self._written(call, walk, out, heads)

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        kernels = _named(call, "kernel")
        return config | {
            "num_query_heads": cut.length(kernels["query"], 1),
            "num_key_value_heads": cut.length(kernels["key"], 1),
        }


def given_tensors(call: Call) -> dict[str, Any]:
    """What a call was given by name; the key is the value if there is none."""
    given = named_arguments(call)
    key = given.get("key")
    return given | {"key": given["value"] if key is None else key}


def shapes_of(call: Call) -> tuple[tuple[int, ...], ...]:
    """The shapes of query, key and value of one example."""
    given = given_tensors(call)
    return tuple(of_one_example(given[name]) for name in ("query", "key", "value"))


def _scores(call: Call) -> tuple[int, int]:
    """How many axes the scores have, and which of them is that of the heads."""
    rank = len(given_tensors(call)["query"].shape)
    axes = getattr(call.operation, "attention_axes", None)
    attended = len(axes) if axes else rank - 2
    return rank + attended, rank - 1 - attended


def _named(call: Call, kind: str) -> dict[str, Any]:
    """The weights of one kind by the projection they belong to."""
    paths = {weight.path: weight for weight in call.operation.weights}
    return {p.split("/")[-2]: w for p, w in paths.items() if p.endswith(f"/{kind}")}
