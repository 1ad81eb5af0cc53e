"""Layers that scale each channel by a number of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.rules.base import Rule, register

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk


@register(keras.layers.PReLU)
class PReLURule(Rule):
    """One slope for every position of every axis that is not shared."""

    free_weights = True  # shared by all that can leave

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer, tensor = call.operation, call.inputs[0]
        labels = walk.of(tensor)
        own = [axis for axis in arrays.varying_axes(labels) if layer.alpha.shape[axis - 1] > 1]
        if not own:
            return [labels]
        channels = walk.channels(tensor, own[-1])
        walk.bind(layer, layer.alpha, own[-1] - 1, channels)
        return [arrays.spread(channels, arrays.shape_of(call.outputs[0]), own[-1])]


@register("keras.src.applications.convnext.LayerScale")
class LayerScaleRule(Rule):
    """ConvNeXt's learned scale of a residual branch."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        channels = walk.channels(call.inputs[0], -1)
        walk.bind(call.operation, call.operation.gamma, 0, channels)
        return [arrays.spread(channels, arrays.shape_of(call.outputs[0]), -1)]

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        return config | {"projection_dim": cut.size(call.outputs[0], -1)}
