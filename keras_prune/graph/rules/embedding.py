"""Embeddings: look up one vector of channels for every integer, some of them back again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph.bindings import Pin, Role, Unsupported
from keras_prune.graph.rules.base import Product, ProductsRule, Rule, register, size
from keras_prune.graph.rules.common import along_channels
from keras_prune.graph.rules.products import named_arguments

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk


@register(keras.layers.Embedding)
class EmbeddingRule(Rule):
    """Table `(entries, out)`: makes channels, and reads integers, all of which matter."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer: Any = call.operation
        if not isinstance(layer.embeddings, keras.Variable):
            raise Unsupported("its table is computed from other weights")
        walk.pin(walk.of(call.inputs[0]), Pin(call.name, "an index into a table"))
        return along_channels(call, walk.produce(layer, layer.embeddings, 1))

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        return config | {"output_dim": cut.size(call.outputs[0], -1)}


_NEW = [getattr(keras.layers, n) for n in ("ReversibleEmbedding",) if hasattr(keras.layers, n)]


@register(*_NEW)
class ReversibleEmbeddingRule(ProductsRule):
    """Looks up vectors of channels, or reads channels by the same table.

    A look-up is free; back again `MACs = output elements · dimension of the embedding`.
    """

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer: Any = call.operation
        if not isinstance(layer.embeddings, keras.Variable):
            raise Unsupported("its table is computed from other weights")
        labels = walk.produce(layer, layer.embeddings, 1)
        if not layer.tie_weights:
            walk.bind(layer, layer.reverse_embeddings, 0, labels, Role.CONSUMER)
        if not _is_reversed(call):
            walk.pin(walk.of(call.inputs[0]), Pin(call.name, "an index into a table"))
            return along_channels(call, labels)
        walk.unite(labels, walk.channels(call.inputs[0], -1))
        if layer.tie_weights:
            walk.note_reader(layer.embeddings)
        return [walk.fixed(call.outputs[0])]

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        return config | {"output_dim": cut.length(call.operation.embeddings, 1)}

    def products(self, call: Call) -> list[Product]:
        layer: Any = call.operation
        if not _is_reversed(call):
            return []
        table = layer.embeddings if layer.tie_weights else layer.reverse_embeddings
        return [Product(size(call.outputs[0]) * call.inputs[0].shape[-1], (table,))]


def _is_reversed(call: Call) -> bool:
    return bool(named_arguments(call).get("reverse", False))
