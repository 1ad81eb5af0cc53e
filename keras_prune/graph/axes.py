"""Where channels sit in the tensors and weights of a call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from keras_prune.graph.bindings import Binding

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.groups import ChannelGraph


class Axis(NamedTuple):
    """An axis of a tensor or weight, known by its `id`."""

    owner: int
    axis: int


class Places:
    """Where each group's channels sit in the tensors and weights of a call."""

    def __init__(self, graph: ChannelGraph) -> None:
        self._graph = graph
        self._groups = list(graph.groups.values())
        self._bindings: dict[int, list[Binding]] = defaultdict(list)
        for binding in graph.bindings:
            self._bindings[id(binding.variable)].append(binding)

    def axes(self, call: Call) -> Iterator[tuple[Axis, np.ndarray]]:
        """The axes of a call that can shrink, and the unit at each position of them."""
        for tensor in (*call.inputs, *call.outputs):
            axis, units = self._graph.units_along(tensor)
            yield Axis(id(tensor), axis), units
        for variable in getattr(call.operation, "weights", ()):
            for binding in self._bindings[id(variable)]:
                yield Axis(id(variable), binding.axis), self._graph.units_of(binding)

    def counts(self, call: Call) -> dict[str, dict[Axis, np.ndarray]]:
        """For each group at a call: along which axes how many positions each channel has."""
        found: dict[str, dict[Axis, np.ndarray]] = defaultdict(dict)
        for place, units in self.axes(call):
            for number, owner in self._graph.owners(units):
                group = self._groups[number]
                found[group.name][place] = occurrences(owner, group.channels)
        return found


def occurrences(owner: np.ndarray, channels: int) -> np.ndarray:
    """How often each channel occurs; -1 is none."""
    return np.bincount(owner[owner >= 0], minlength=channels)
