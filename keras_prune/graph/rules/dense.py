"""Dense layers: read the last axis, make a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph.bindings import Role
from keras_prune.graph.rules.base import Rule, register
from keras_prune.graph.rules.common import along_channels, pin_activation, positions

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk


@register(keras.layers.Dense)
class DenseRule(Rule):
    """Kernel `(in, out)`."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer = call.operation
        walk.bind(layer, layer.kernel, 0, walk.channels(call.inputs[0], -1), Role.CONSUMER)
        labels = walk.produce(layer, layer.kernel, 1)
        walk.bind(layer, layer.bias, 0, labels)
        pin_activation(call, walk, labels)
        return along_channels(call, labels)

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        return config | {"units": cut.size(call.outputs[0], -1)}

    def macs(self, call: Call) -> int:
        kernel = call.operation.kernel.shape
        return int(np.prod(kernel)) * positions(call.outputs[0], -1)
