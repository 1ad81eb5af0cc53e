"""Convolutions: plain, grouped, transposed, depthwise, separable, in one to three dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph.bindings import Role
from keras_prune.graph.rules.base import Rule, register
from keras_prune.graph.rules.common import (
    along_channels,
    channel_axis,
    pin_activation,
    positions,
)

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk

layers = keras.layers


class _Convolution(Rule):
    """What all convolutions share: where channels sit, how many filters are left, positions."""

    def _inputs(self, call: Call, walk: LabelWalk) -> np.ndarray:
        return walk.channels(call.inputs[0], channel_axis(call.operation))

    def _outputs(self, call: Call, walk: LabelWalk, labels: np.ndarray) -> list[np.ndarray]:
        walk.bind(call.operation, call.operation.bias, 0, labels)
        pin_activation(call, walk, labels)
        return along_channels(call, labels)

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        return config | {"filters": cut.size(call.outputs[0], channel_axis(call.operation))}

    def macs(self, call: Call) -> int:
        kernel = int(np.prod(call.operation.kernel.shape))
        return kernel * positions(call.outputs[0], channel_axis(call.operation))


@register(layers.Conv1D, layers.Conv2D, layers.Conv3D)
class ConvRule(_Convolution):
    """Filters `(..., in / groups, out)`.

    With `groups > 1`, position *p* of every convolution group leaves together, so that the groups
    stay of one size. With one input channel a group, whole groups leave: the layer is depthwise in
    disguise.
    """

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer, inputs = call.operation, self._inputs(call, walk)
        if _is_depthwise(layer):
            labels = np.repeat(inputs, layer.filters // layer.groups)
            walk.bind(layer, layer.kernel, -1, labels)
            return self._outputs(call, walk, labels)
        walk.bind(layer, layer.kernel, -2, _one_group(walk, inputs, layer.groups), Role.CONSUMER)
        labels = walk.produce(layer, layer.kernel, -1)
        _one_group(walk, labels, layer.groups)
        return self._outputs(call, walk, labels)

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        config = super().rewrite(call, config, cut)
        if _is_depthwise(call.operation):
            config["groups"] = cut.size(call.inputs[0], channel_axis(call.operation))
        return config


@register(layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
class ConvTransposeRule(_Convolution):
    """Kernel `(..., out, in)`: every input position is multiplied with the whole kernel."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer = call.operation
        walk.bind(layer, layer.kernel, -1, self._inputs(call, walk), Role.CONSUMER)
        return self._outputs(call, walk, walk.produce(layer, layer.kernel, -2))

    def macs(self, call: Call) -> int:
        kernel = int(np.prod(call.operation.kernel.shape))
        return kernel * positions(call.inputs[0], channel_axis(call.operation))


@register(layers.DepthwiseConv1D, layers.DepthwiseConv2D)
class DepthwiseConvRule(_Convolution):
    """Kernel `(..., in, multiplier)`: channel *c* makes `multiplier` channels in a row."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer, inputs = call.operation, self._inputs(call, walk)
        walk.bind(layer, layer.kernel, -2, inputs)
        return self._outputs(call, walk, np.repeat(inputs, layer.depth_multiplier))

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        return config


@register(layers.SeparableConv1D, layers.SeparableConv2D)
class SeparableConvRule(_Convolution):
    """A depthwise convolution and a 1x1 convolution in one layer."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer, inputs = call.operation, self._inputs(call, walk)
        walk.bind(layer, layer.depthwise_kernel, -2, inputs)
        middle = np.repeat(inputs, layer.depth_multiplier)
        walk.bind(layer, layer.pointwise_kernel, -2, middle, Role.CONSUMER)
        return self._outputs(call, walk, walk.produce(layer, layer.pointwise_kernel, -1))

    def macs(self, call: Call) -> int:
        kernels = (call.operation.depthwise_kernel, call.operation.pointwise_kernel)
        weights = sum(int(np.prod(kernel.shape)) for kernel in kernels)
        return weights * positions(call.outputs[0], channel_axis(call.operation))


def _is_depthwise(layer: Any) -> bool:
    return layer.groups > 1 and layer.kernel.shape[-2] == 1


def _one_group(walk: LabelWalk, labels: np.ndarray, groups: int) -> np.ndarray:
    """Makes the labels of all convolution groups one, and returns those of the first."""
    rows = labels.reshape(groups, -1)
    if groups > 1:
        walk.unions.unite(rows, rows[:1])
    return rows[0]
