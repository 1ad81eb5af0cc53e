"""Values under masks by a function of the user's: the network is silenced in place of a twin."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from keras_prune.graph import ChannelGraph, ChannelGroup, ResidualBlock
from keras_prune.plan import PruningPlan
from keras_prune.surgery import masked_weights, prune_graph
from keras_prune.training import Task


class SilencedEvaluator:
    """Measures masks by the task's own `evaluate`, one silenced network after the other.

    The function is called with one network of the original's shapes, whose weights change between
    the calls. BatchNormalization uses what the function makes of it.

    Args:
        graph: the walked network; a copy of it is silenced.
        groups: the groups and residual blocks that are being decided.
        task: bound to the network.
    """

    def __init__(
        self, graph: ChannelGraph, groups: Sequence[ChannelGroup | ResidualBlock], task: Task
    ) -> None:
        self._task = task
        self._twin = prune_graph(graph, PruningPlan.for_graph(graph, {}))
        found = ChannelGraph(self._twin)
        self._groups = [found.removable(group.name) for group in groups]
        whole = masked_weights(self._groups, [_ones(group) for group in self._groups])
        self._weights = [(variable, keras.ops.copy(variable.value)) for variable, _ in whole]

    def evaluate(self, masks: np.ndarray) -> np.ndarray:
        """The objective under each mask; see `Evaluator`."""
        return np.array([self._value(mask) for mask in np.atleast_2d(masks)])

    def _value(self, mask: np.ndarray) -> float:
        ends = np.cumsum([group.channels for group in self._groups])[:-1]
        parts = [keras.ops.array(part, "float32") for part in np.split(mask, ends)]
        for variable, value in masked_weights(self._groups, parts):
            variable.assign(value)
        try:
            return self._task.value(self._twin)
        finally:
            for variable, value in self._weights:
                variable.assign(value)


def _ones(group: ChannelGroup | ResidualBlock) -> keras.KerasTensor:
    return keras.ops.ones((group.channels,), "float32")
