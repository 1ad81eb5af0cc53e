"""What one channel costs: the parameters and the work that leave with it alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.errors import ModelError
from keras_prune.graph.bindings import Binding, Unsupported
from keras_prune.graph.opened import LocatedCall, opened
from keras_prune.graph.rules import rule_for

if TYPE_CHECKING:
    from keras_prune.graph.groups import ChannelGraph, ChannelGroup
    from keras_prune.graph.trace import Call


def channel_parameters(group: ChannelGroup) -> np.ndarray:
    """How many weights leave with each channel if no other channel leaves.

    For every weight `W` of the group: `size(W) - prod over axes (length - positions of the
    channel)`. What two slices of the channel share is counted once.

    Returns:
        Shape `(channels,)`.
    """
    axes = defaultdict(list)
    for member in group.members:
        axes[id(member.binding.variable)].append(member)
    costs = np.zeros(group.channels, int)
    for members in axes.values():
        shape = members[0].binding.variable.shape
        left = np.full((len(shape), group.channels), np.reshape(shape, (-1, 1)))
        for member in members:
            left[member.binding.axis] -= _count(member.owner, group.channels)
        costs += math.prod(shape) - left.prod(axis=0)
    return costs


def channel_macs(graph: ChannelGraph) -> dict[str, np.ndarray | None]:
    """By how much the model's MACs drop if a channel leaves and no other does.

    Returns:
        For each group shape `(channels,)`; None where no rule can count the work or where a tensor
        has an unknown length.
    """
    costs = {name: np.zeros(group.channels, int) for name, group in graph.groups.items()}
    unknown = set()
    places = _Places(graph)
    try:
        for located in opened(graph.trace, graph.traces):
            for name, counts in places.counts(located.traced).items():
                try:
                    costs[name] += _drops(located, counts)
                except Unsupported:
                    unknown.add(name)
    except ModelError:  # a tensor of unknown length
        unknown = set(costs)
    return {name: None if name in unknown else cost for name, cost in costs.items()}


@dataclass(frozen=True)
class _Axis:
    """An axis of a tensor or weight, known by its `id`."""

    owner: int
    axis: int


class _Places:
    """Where each group's channels sit in the tensors and weights of a call."""

    def __init__(self, graph: ChannelGraph) -> None:
        self._graph = graph
        self._groups = list(graph.groups.values())
        self._bindings: dict[int, list[Binding]] = defaultdict(list)
        for binding in graph.bindings:
            self._bindings[id(binding.variable)].append(binding)

    def counts(self, call: Call) -> dict[str, dict[_Axis, np.ndarray]]:
        """For each group at a call: along which axes how many positions each channel has."""
        found: dict[str, dict[_Axis, np.ndarray]] = defaultdict(dict)
        for place, units in self._axes(call):
            numbers, channels = self._graph.locate(units)
            for number in np.unique(numbers[numbers >= 0]).tolist():
                group = self._groups[number]
                own = np.where(numbers == number, channels, -1)
                found[group.name][place] = _count(own, group.channels)
        return found

    def _axes(self, call: Call) -> Iterator[tuple[_Axis, np.ndarray]]:
        for tensor in (*call.inputs, *call.outputs):
            axis, units = self._graph.units_along(tensor)
            yield _Axis(id(tensor), axis), units
        for variable in getattr(call.operation, "weights", ()):
            for binding in self._bindings[id(variable)]:
                yield _Axis(id(variable), binding.axis), self._graph.units_of(binding)


def _count(owner: np.ndarray, channels: int) -> np.ndarray:
    """How often each channel occurs; -1 is none."""
    return np.bincount(owner[owner >= 0], minlength=channels)


def _drops(located: LocatedCall, counts: Mapping[_Axis, np.ndarray]) -> np.ndarray:
    """The MACs of a call that leave with each channel; channels that look alike count once."""
    rule = rule_for(located.call.operation)
    whole, table = rule.macs(located.call), np.stack(list(counts.values()))
    if not whole:
        return np.zeros(table.shape[1], int)
    kinds, kind = np.unique(table, axis=1, return_inverse=True)
    left = [
        rule.macs(_smaller(located, dict(zip(counts, column.tolist(), strict=True))))
        for column in kinds.T
    ]
    return whole - np.array(left)[kind.ravel()]


def _smaller(located: LocatedCall, gone: Mapping[_Axis, int]) -> Any:
    """A call as it would be without some positions: all that a rule needs to count its work."""
    call, traced = located.call, located.traced

    def shrunk(
        tensors: Iterable[keras.KerasTensor], known: Iterable[keras.KerasTensor]
    ) -> tuple[keras.KerasTensor, ...]:
        pairs = zip(tensors, known, strict=True)
        return tuple(_symbolic(tensor, id(old), gone) for tensor, old in pairs)

    return replace(
        call,
        operation=_Smaller(call.operation, gone),
        inputs=shrunk(call.inputs, traced.inputs),
        outputs=shrunk(call.outputs, traced.outputs),
    )


class _Smaller:
    """An operation with smaller weights: reads like the one it stands for."""

    def __init__(self, operation: keras.Operation, gone: Mapping[_Axis, int]) -> None:
        self._operation = operation
        self._gone = gone

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._operation, name)
        if isinstance(value, keras.Variable):
            return _symbolic(value, id(value), self._gone)
        return value


def _symbolic(
    original: keras.KerasTensor | keras.Variable, owner: int, gone: Mapping[_Axis, int]
) -> keras.KerasTensor:
    """A tensor that only has a shape: the original's without what is gone."""
    shape: Sequence[int | None] = [
        length and length - gone.get(_Axis(owner, axis), 0)
        for axis, length in enumerate(original.shape)
    ]
    return keras.KerasTensor(shape, original.dtype)
