"""Channels that do nothing any more: nothing reads them, or what reads them gets nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import keras
import numpy as np

from keras_prune.graph import Call, ChannelGraph, ChannelGroup, Member, Role, Trace, execute
from keras_prune.graph.calls import in_inference
from keras_prune.graph.samples import sample
from keras_prune.plan import PruningPlan
from keras_prune.utils.arguments import expect_kind


def without_dead(graph: ChannelGraph) -> PruningPlan:
    """The plan that drops every channel without which the network computes just the same.

    These are the channels whose readers' weights are all zero, and those whose own weights are all
    zero, if what then reaches their readers is zero for every input. It is told from the weights:
    what a channel without weights is does not depend on the input unless something else is joined
    to it, and such channels stay. So do those that a norm sees whose statistic would change. One
    channel of a group that is all dead stays, for a layer cannot be empty.

    Args:
        graph: a network some of whose weights are zero.
    """
    expect_kind(graph, ChannelGraph, "graph", "a ChannelGraph: kp.ChannelGraph(model)")
    constants = _Constants(graph)
    masks = {name: _alive(group, constants) for name, group in graph.groups.items()}
    for mask in masks.values():
        mask[0] |= not mask.any()
    return PruningPlan.from_masks(
        graph, {name: mask for name, mask in masks.items() if not mask.all()}
    )


def _alive(group: ChannelGroup, constants: _Constants) -> np.ndarray:
    """Which channels do something, bool of shape `(channels,)`."""
    alive = _touched(group, group.silencers)
    made = _touched(group, group.by_role(Role.PRODUCER))
    if (alive & ~made).any():
        alive &= made | ~constants.zero(group)
    return alive | constants.seen_by_norms(group)


def _touched(group: ChannelGroup, members: Iterable[Member]) -> np.ndarray:
    """The channels with a weight other than zero among some, or with none at all among them."""
    touched, known = np.zeros(group.channels, bool), np.zeros(group.channels, bool)
    for member in members:
        binding, owned = member.binding, member.owner >= 0
        weight = keras.ops.convert_to_numpy(binding.variable) != 0
        others = tuple(axis for axis in range(weight.ndim) if axis != binding.axis)
        np.logical_or.at(touched, member.owner[owned], weight.any(axis=others)[owned])
        known[member.owner[owned]] = True
    return touched | ~known


class _Constants:
    """What reaches the readers of channels that have no weights.

    Args:
        graph: the walked network.
    """

    def __init__(self, graph: ChannelGraph) -> None:
        self._graph = graph
        self._numbers = {name: number for number, name in enumerate(graph.groups)}

    def zero(self, group: ChannelGroup) -> np.ndarray:
        """Where what is read is zero and can be nothing else, for channels without weights."""
        read, loud = np.zeros(group.channels, bool), np.zeros(group.channels, bool)
        number = self._numbers[group.name]
        if number in self._joined:
            return read
        readers = {id(member.binding.layer) for member in group.by_role(Role.CONSUMER)}
        for operation, tensor, silent in self._reads:
            _, numbers, channels = self._places(tensor)
            ours = numbers == number
            if operation in readers and ours.any():
                read[channels[ours]] = True
                np.logical_or.at(loud, channels[ours], ~silent[ours])
        return read & ~loud

    def seen_by_norms(self, group: ChannelGroup) -> np.ndarray:
        """The channels over which an admitted norm computes a statistic."""
        seen = np.zeros(group.channels, bool)
        for statistic in self._graph.statistics:
            numbers, channels = self._graph.locate(self._graph.units_of(statistic))
            seen[channels[numbers == self._numbers[group.name]]] = True
        return seen

    @cached_property
    def _joined(self) -> set[int]:
        """The groups that are joined by something that carries none of their channels."""
        makers = {
            (id(member.binding.layer), self._numbers[group.name])
            for group in self._graph.groups.values()
            for member in group.by_role(Role.PRODUCER)
        }
        return {
            number
            for call in self._calls(self._graph.trace)
            if type(call.operation).__name__ != "Concatenate"  # it leaves each as it is
            for number in set[int]().union(*map(self._carried, call.outputs))
            if (id(call.operation), number) not in makers
            and not all(number in self._carried(tensor) for tensor in call.inputs)
        }

    def _carried(self, tensor: keras.KerasTensor) -> set[int]:
        """The groups of which a tensor has channels."""
        return set(self._places(tensor)[1].tolist()) - {-1}

    def _places(self, tensor: keras.KerasTensor) -> tuple[int, np.ndarray, np.ndarray]:
        """The axis along which channels lie, and at each position the group and its channel."""
        axis, units = self._graph.units_along(tensor)
        return axis, *self._graph.locate(units)

    def _calls(self, traced: Trace) -> Iterator[Call]:
        """All calls, those of nested models in place of the models'."""
        for call in traced.calls:
            inner = self._graph.traces.get(id(call.operation))
            yield from [call] if inner is None else self._calls(inner)

    @cached_property
    def _reads(self) -> list[tuple[int, keras.KerasTensor, np.ndarray]]:
        """Of one run on two examples, for each tensor an operation gets: where it is all zero."""
        reads: list[tuple[int, keras.KerasTensor, np.ndarray]] = []
        inputs = map(sample, self._graph.trace.flat_inputs)
        with keras.StatelessScope():
            self._run(self._graph.trace, inputs, reads)
        return reads

    def _run(
        self,
        traced: Trace,
        inputs: Iterable[Any],
        reads: list[tuple[int, keras.KerasTensor, np.ndarray]],
    ) -> list[Any]:
        """The flat outputs of one model, at the top or nested."""
        values = dict(zip(map(id, traced.flat_inputs), inputs, strict=True))
        for call in traced.calls:
            inner = self._graph.traces.get(id(call.operation))
            if inner is not None:
                given = [values[id(tensor)] for tensor in call.nested_inputs(inner)]
                made = self._run(inner, given, reads)
                values.update(zip(map(id, call.outputs), made, strict=True))
                continue
            for tensor in call.inputs:
                if self._carried(tensor):
                    value = keras.ops.convert_to_numpy(values[id(tensor)])
                    axis = self._places(tensor)[0]
                    others = tuple(n for n in range(value.ndim) if n != axis)
                    reads.append((id(call.operation), tensor, ~value.any(axis=others)))
            values = execute([call], values, in_inference)
        return [values[id(tensor)] for tensor in traced.flat_outputs]
