"""(model, plan) -> the same shapes with the dropped channels silenced.

A channel is silenced where it is read: its slices of the consumers' kernels are zero. Zeroing the
filter that makes it would not do, for the BatchNorm behind it adds an offset of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_prune.graph import Call, ChannelGraph, ChannelGroup
from keras_prune.graph.blocks import ResidualBlock
from keras_prune.graph.cut import Cut
from keras_prune.plan import PruningPlan
from keras_prune.surgery.checking import check_same
from keras_prune.surgery.masked_norm import MaskedNorm
from keras_prune.surgery.pruning import Replay
from keras_prune.utils.arguments import expect_kind


def silence(model: keras.Model, plan: PruningPlan) -> keras.Model:
    """A model of the same shapes that computes what the pruned model computes.

    Of a residual block that leaves the last weights are zero.

    Args:
        model: the model the plan was made for; it is not changed.
        plan: which channels stay, and which blocks leave.

    Returns:
        A Keras model, uncompiled. It is a plain one but for norms that channels leave: these are
        wrapped in `MaskedNorm`, which loads from a file where this package is imported.

    Raises:
        PlanError: the plan was made for another model.
    """
    expect_kind(model, keras.Model, "model", "a Keras model")
    expect_kind(plan, PruningPlan, "plan", "a PruningPlan, as a budget allocates one")
    graph = ChannelGraph(model, plan.admit_norms)
    plan.check(graph)
    kept = {name: np.array(channels) for name, channels in plan.kept.items()}
    twin = _Twin(graph, graph.cut(kept))
    if not twin.norms:
        check_same(graph.trace, twin.tensors)
    parts = [graph.removable(name) for name in (*plan.kept, *plan.blocks)]
    masks = [keras.ops.array(plan.mask(part), "float32") for part in parts]
    for variable, value in masked_weights(parts, masks):
        twin.variables[id(variable)].assign(value)
    return twin.model


class _Twin(Replay):
    """A replay that cuts nothing, and lets norms see the channels that a cut leaves."""

    def __init__(self, graph: ChannelGraph, cut: Cut) -> None:
        self.variables: dict[int, keras.Variable] = {}
        self.norms: dict[int, MaskedNorm] = {}
        self._left = {id(x.layer): (x, cut.positions(x)) for x in graph.statistics}
        super().__init__(graph, graph.cut({}))

    def _call(self, call: Call, *args: Any, **kwargs: Any) -> Any:
        statistic, positions = self._left.get(id(call.operation), (None, None))
        if statistic is None or positions is None:
            return super()._call(call, *args, **kwargs)
        if id(call.operation) not in self.norms:
            norm = self._operation(call)
            self.norms[id(call.operation)] = MaskedNorm(
                norm, statistic.axis, positions.tolist(), name=norm.name
            )
        return self.norms[id(call.operation)](*args, **kwargs)

    def _transfer(self, call: Call) -> None:
        super()._transfer(call)
        old, new = call.operation, self.operations[id(call.operation)]
        if isinstance(old, keras.Layer) and id(old) not in self._graph.traces:
            self.variables.update(zip(map(id, old.weights), new.weights, strict=True))


def masked_weights(
    groups: Sequence[ChannelGroup | ResidualBlock], masks: Sequence[Any]
) -> list[tuple[keras.Variable, Any]]:
    """The weights that silence, under masks: what a rollout puts in place of the variables.

    Args:
        groups: the groups, and residual blocks; two may share a weight.
        masks: for each a tensor of shape `(channels,)`, 1 = keep; it may be symbolic, inside a
            compiled function.

    Returns:
        Pairs of a variable and the value it has under the masks, for a `keras.StatelessScope`.
    """
    values: dict[int, tuple[keras.Variable, Any]] = {}
    for group, mask in zip(groups, masks, strict=True):
        padded = keras.ops.concatenate([mask, keras.ops.ones((1,), mask.dtype)])
        for member in group.silencers:
            variable, axis = member.binding.variable, member.binding.axis
            _, value = values.get(id(variable), (variable, variable.value))
            factor = keras.ops.take(padded, member.owner % padded.shape[0], axis=0)
            factor = keras.ops.cast(factor, value.dtype)
            shape = [1] * len(variable.shape)
            shape[axis] = -1
            values[id(variable)] = (variable, value * keras.ops.reshape(factor, shape))
    return list(values.values())
