"""What a model would cost after a cut, counted without building it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_prune.graph.axes import Axis, Places
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.blocks import ResidualBlock, Shortcuts, called, shortcuts
from keras_prune.graph.nested import LocatedCall, opened
from keras_prune.graph.smaller import smaller
from keras_prune.graph.work import macs

if TYPE_CHECKING:
    from keras_prune.graph.groups import ChannelGraph

Masks = Mapping[str, np.ndarray]
"""Group name -> which channels stay, shape `(channels,)`; a group that is not named stays whole."""


class CutCosts:
    """Parameters and MACs of what a cut leaves, as `profile` counts them on the pruned model.

    Groups interact: a convolution from *i* to *j* channels has `kernel size · i · j` weights. So
    the lengths of all axes are counted first, then every weight and call at those lengths.

    Args:
        graph: the walked model.
        without: residual blocks that leave.

    Example:

    >>> from keras_prune.graph import ChannelGraph
    >>> inputs = keras.Input((10,))
    >>> hidden = keras.layers.Dense(8, name="hidden", use_bias=False)(inputs)
    >>> model = keras.Model(inputs, keras.layers.Dense(2, use_bias=False)(hidden))
    >>> costs = CutCosts(ChannelGraph(model))
    >>> costs.macs({}), costs.macs({"hidden": np.arange(8) < 3})
    (96, 36)
    """

    def __init__(self, graph: ChannelGraph, without: Collection[ResidualBlock] = ()) -> None:
        self._graph, self._leaving = graph, shortcuts(graph, without)

    def parameters(self, masks: Masks) -> int:
        """How many weights a cut leaves."""
        return self._weights.count(masks)

    def macs(self, masks: Masks) -> int:
        """Multiply-accumulates of one example; calls that no rule can count are left out.

        Raises:
            ModelError: the model holds a tensor of unknown length.
        """
        return self._work.count(masks)

    @property
    def uncounted(self) -> Mapping[str, str]:
        """Calls whose work no rule can count, by name, and why.

        Raises:
            ModelError: the model holds a tensor of unknown length.
        """
        return self._work.uncounted

    @property
    def uncounted_parameters(self) -> int:
        """How many weights these calls have."""
        return self._work.uncounted_parameters

    @cached_property
    def _weights(self) -> _Weights:
        return _Weights(self._graph, self._leaving)

    @cached_property
    def _work(self) -> _Work:
        return _Work(self._graph, self._leaving)


class _Weights:
    """All weights as products of lengths; those of equal lengths everywhere are one term."""

    def __init__(self, graph: ChannelGraph, leaving: Shortcuts) -> None:
        self._positions = positions = _Positions(graph)
        bound: dict[int, dict[int, int]] = defaultdict(dict)
        for binding in graph.bindings:
            row = positions.row(graph.units_of(binding))
            bound[id(binding.variable)][binding.axis] = row
        self._terms: dict[tuple[tuple[int, int], ...], int] = defaultdict(int)
        for weight in _weights(graph, leaving):
            rows, shape = bound[id(weight)], weight.shape
            fixed = math.prod(n for axis, n in enumerate(shape) if axis not in rows)
            self._terms[tuple((shape[axis], row) for axis, row in rows.items())] += fixed

    def count(self, masks: Masks) -> int:
        """How many numbers are left."""
        gone = self._positions.gone(masks).tolist()
        return sum(
            size * math.prod(length - gone[row] for length, row in axes)
            for axes, size in self._terms.items()
        )


def _weights(graph: ChannelGraph, leaving: Shortcuts) -> Iterable[keras.Variable]:
    """The weights of all layers that are called, each once."""
    layers = called(graph, graph.trace, leaving)
    own = [getattr(layer, "weights", ()) for layer in layers]
    return {id(weight): weight for weights in own for weight in weights}.values()


class _Work:
    """All calls that cost something; each combination of lengths at a call is counted once."""

    def __init__(self, graph: ChannelGraph, leaving: Shortcuts) -> None:
        self._positions = _Positions(graph)
        places = Places(graph)
        self._calls: list[tuple[LocatedCall, dict[Axis, int]]] = []
        self.uncounted: dict[str, str] = {}
        missed: dict[int, keras.Variable] = {}
        for located in opened(graph.trace, graph.traces, leaving=leaving):
            operation = located.call.operation
            try:
                works = macs(located.call) > 0
            except Unsupported as reason:
                self.uncounted[located.path] = str(reason)
                missed |= {id(weight): weight for weight in getattr(operation, "weights", ())}
                continue
            if works:  # a smaller one costs no more
                axes = places.axes(located.traced)
                self._calls.append((located, {axis: self._positions.row(u) for axis, u in axes}))
        self.uncounted_parameters = sum(math.prod(weight.shape) for weight in missed.values())
        self._known: list[dict[tuple[int, ...], int]] = [{} for _ in self._calls]

    def count(self, masks: Masks) -> int:
        """The work that is left."""
        gone = self._positions.gone(masks).tolist()
        return sum(self._macs(number, gone) for number in range(len(self._calls)))

    def _macs(self, number: int, gone: Sequence[int]) -> int:
        located, rows = self._calls[number]
        here = tuple([gone[row] for row in rows.values()])
        known = self._known[number]
        if here not in known:
            less = smaller(located, dict(zip(rows, here, strict=True)))
            known[here] = macs(less)
        return known[here]


class _Positions:
    """How many positions of axes leave; axes that hold the same channels share a row."""

    def __init__(self, graph: ChannelGraph) -> None:
        self._graph = graph
        self._starts = np.cumsum([0, *(group.channels for group in graph.groups.values())])
        self._rows: dict[tuple[bytes, bytes], int] = {}
        self._held: list[tuple[np.ndarray, np.ndarray]] = []
        self.row(np.array([], int))  # so that there is one, also in a model that costs nothing

    def row(self, units: np.ndarray) -> int:
        """The row of an axis with these units."""
        numbers, channels = self._graph.locate(units)
        free = numbers >= 0
        held = np.unique(self._starts[numbers[free]] + channels[free], return_counts=True)
        key = held[0].tobytes(), held[1].tobytes()
        if key not in self._rows:
            self._rows[key] = len(self._held)
            self._held.append(held)
        return self._rows[key]

    def gone(self, masks: Masks) -> np.ndarray:
        """The positions that leave, shape `(rows,)`."""
        leaves = np.zeros(self._starts[-1])
        for start, (name, group) in zip(self._starts, self._graph.groups.items(), strict=False):
            if name in masks:
                leaves[start : start + group.channels] = ~np.asarray(masks[name], bool)
        rows, channels, counts = self._table
        gone = np.bincount(rows, counts * leaves[channels], minlength=len(self._held))
        return gone.astype(int)

    @cached_property
    def _table(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, channels and how often the channel is there, once all rows are known."""
        rows = np.repeat(np.arange(len(self._held)), [len(channels) for channels, _ in self._held])
        none = np.array([], int)
        channels, counts = (np.concatenate([none, *part]) for part in zip(*self._held, strict=True))
        return rows, channels, counts
