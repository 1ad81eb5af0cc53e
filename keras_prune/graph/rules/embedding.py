"""Embeddings: look up one vector of channels for every integer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph.bindings import Pin, Unsupported
from keras_prune.graph.rules.base import Rule, register
from keras_prune.graph.rules.common import along_channels

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
