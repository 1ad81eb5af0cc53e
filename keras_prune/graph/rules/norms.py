"""Norms whose statistic runs over channels, and softmax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.rules.base import Rule, register

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk

layers = keras.layers
_REASON = "it computes a statistic over channels"


@register(layers.Softmax, "Softmax", "LogSoftmax")
class ChannelStatisticRule(Rule):
    """A statistic over channels changes when a channel leaves, even if that channel was zero."""

    free_weights = True

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        axes, labels = getattr(call.operation, "axis", -1), walk.of(call.inputs[0])
        summed = {int(axis) % labels.ndim for axis in np.ravel(axes)}
        if axes is None or summed.intersection(arrays.varying_axes(labels)):
            raise Unsupported(_REASON)
        return [labels]


@register(layers.LayerNormalization, layers.RMSNormalization, layers.UnitNormalization)
class NormRule(Rule):
    """A statistic over some axes; channels along another axis pass.

    Channels along one of its own axes stay, unless the walk admits norms: then they may leave, and
    the statistic is that of the channels left.
    """

    free_weights = True  # those of axes along which nothing can leave

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer, labels = call.operation, walk.of(call.inputs[0])
        axes = [int(axis) % labels.ndim for axis in np.ravel(layer.axis)]
        varying = [axis for axis in arrays.varying_axes(labels) if axis in axes]
        if not varying:
            return [labels]
        if not walk.admit_norms or len(varying) > 1 or getattr(layer, "rms_scaling", False):
            raise Unsupported(_REASON)
        channels = walk.channels(call.inputs[0], varying[0])
        for variable in layer.weights:
            walk.bind(layer, variable, axes.index(varying[0]), channels)
        walk.note_statistic(call, varying[0] - labels.ndim, channels)
        return [arrays.spread(channels, labels.shape, varying[0])]


@register(layers.GroupNormalization)
class GroupNormalizationRule(Rule):
    """A statistic over each group of channels and all positions.

    Where norms are admitted, position *p* of every group leaves together, so that the groups stay
    of one size. Groups of one channel compute no statistic over channels: they leave one by one.
    """

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer, labels = call.operation, walk.of(call.inputs[0])
        alone = layer.groups == labels.shape[layer.axis]
        if not (alone or walk.admit_norms) and arrays.core(labels).any():
            raise Unsupported(_REASON)
        channels = walk.channels(call.inputs[0], layer.axis)
        for variable in layer.weights:
            walk.bind(layer, variable, 0, channels)
        if not alone:
            rows = channels.reshape(layer.groups, -1)
            walk.unions.unite(rows, rows[:1])
            walk.note_statistic(call, layer.axis % labels.ndim - labels.ndim, channels)
        return [arrays.spread(channels, labels.shape, layer.axis)]

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        layer = call.operation
        if layer.groups == call.inputs[0].shape[layer.axis]:
            config["groups"] = cut.size(call.inputs[0], layer.axis)
        return config
