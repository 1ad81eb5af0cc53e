"""Dense layers: read the last axis, make a new one; channels along another axis pass."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Role
from keras_prune.graph.contraction import Operand, contract
from keras_prune.graph.rules.base import Rule, register
from keras_prune.graph.rules.common import along_channels, pin_activation, positions

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk


@register(keras.layers.Dense)
class DenseRule(Rule):
    """Units of the kernel `(in, out)`. Where channels lie along another axis, they pass."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer = call.operation
        made = walk.produce(layer, layer.kernel, 1)
        walk.bind(layer, layer.bias, 0, made)
        labels = self._output(call, walk, made)
        pin_activation(call, walk, labels)
        return [labels]

    def _output(self, call: Call, walk: LabelWalk, made: np.ndarray) -> np.ndarray:
        layer, (tensor,) = call.operation, call.inputs
        beside = [axis for axis in arrays.varying_axes(walk.of(tensor)) if axis < tensor.ndim - 1]
        if not beside:
            walk.bind(layer, layer.kernel, 0, walk.channels(tensor, -1), Role.CONSUMER)
            return along_channels(call, made)[0]
        letters = string.ascii_letters[: tensor.ndim + 1]
        operands = [
            Operand(letters[:-1], walk.of(tensor), tensor),
            Operand(letters[-2:], layer=layer, weight=layer.kernel),
        ]
        return contract(call, walk, operands, letters[:-2] + letters[-1])

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        return config | {"units": cut.size(call.outputs[0], -1)}

    def macs(self, call: Call) -> int:
        kernel = call.operation.kernel.shape
        return int(np.prod(kernel)) * positions(call.outputs[0], -1)
