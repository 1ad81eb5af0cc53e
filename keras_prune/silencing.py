"""(model, plan) -> the same shapes with the dropped channels silenced.

A channel is silenced where it is read: its slices of the consumers' kernels are zero. Zeroing the
filter that makes it would not do, for the BatchNorm behind it adds an offset of its own.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_prune.graph import ChannelGraph, ChannelGroup, Role
from keras_prune.plan import PruningPlan
from keras_prune.surgery import Replay


def silence(model: keras.Model, plan: PruningPlan) -> keras.Model:
    """A model of the same shapes that computes what the pruned model computes.

    Args:
        model: the model the plan was made for; it is not changed.
        plan: which channels stay.

    Returns:
        A plain Keras model, uncompiled.

    Raises:
        PlanError: the plan was made for another model.
    """
    original = ChannelGraph(model)
    plan.check(original)
    twin = Replay(original, original.cut({})).model
    graph = ChannelGraph(twin)
    for name, channels in plan.kept.items():
        mask = np.zeros(graph.groups[name].channels, "float32")
        mask[list(channels)] = 1
        for variable, value in masked_weights(graph.groups[name], keras.ops.array(mask)):
            variable.assign(value)
    return twin


def masked_weights(group: ChannelGroup, mask: Any) -> list[tuple[keras.Variable, Any]]:
    """The consumers' weights under a mask: what a rollout puts in place of the variables.

    Args:
        group: the group.
        mask: a tensor of shape `(channels,)`, 1 = keep; it may be symbolic, inside a compiled
            function.

    Returns:
        Pairs of a variable and the value it has under the mask, for a `keras.StatelessScope`.
    """
    values: dict[int, tuple[keras.Variable, Any]] = {}
    padded = keras.ops.concatenate([mask, keras.ops.ones((1,), mask.dtype)])
    for member in group.by_role(Role.CONSUMER):
        variable, axis = member.binding.variable, member.binding.axis
        _, value = values.get(id(variable), (variable, variable.value))
        factor = keras.ops.take(padded, member.owner % padded.shape[0], axis=0)
        shape = [1] * len(variable.shape)
        shape[axis] = -1
        values[id(variable)] = (variable, value * keras.ops.reshape(factor, shape))
    return list(values.values())
