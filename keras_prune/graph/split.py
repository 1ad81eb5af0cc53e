"""A graph cut in two at its groups: what a mask on them cannot change, and the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras

from keras_prune.graph.blocks import ResidualBlock
from keras_prune.graph.calls import Call
from keras_prune.graph.groups import ChannelGraph, ChannelGroup


@dataclass(frozen=True)
class Split:
    """The calls of a model before and after groups are read.

    Args:
        early: calls whose outputs do not depend on which channels of the groups stay.
        late: calls that read a group, and all that follows from them.
        frontier: the symbolic tensors that pass from early to late; features worth keeping.
    """

    early: tuple[Call, ...]
    late: tuple[Call, ...]
    frontier: tuple[keras.KerasTensor, ...]


def split(graph: ChannelGraph, groups: Sequence[ChannelGroup | ResidualBlock]) -> Split:
    """Cuts a model's calls at the first layers that read one of some groups.

    Example:

    >>> model = keras.Sequential([
    ...     keras.Input((8, 8, 3)),
    ...     keras.layers.Conv2D(4, 3, name="conv"),
    ...     keras.layers.Flatten(name="flatten"),
    ...     keras.layers.Dense(10, name="logits"),
    ... ])
    >>> graph = ChannelGraph(model)
    >>> parts = split(graph, [graph.groups["conv"]])
    >>> [call.name for call in parts.early], [call.name for call in parts.late]
    (['conv', 'flatten'], ['logits'])
    """
    readers = {id(member.binding.layer) for group in groups for member in group.silencers}
    early: list[Call] = []
    late: list[Call] = []
    changed: set[int] = set()
    for call in graph.trace.calls:
        reads = _reads(graph, call, readers) or any(id(x) in changed for x in call.inputs)
        (late if reads else early).append(call)
        if reads:
            changed.update(map(id, call.outputs))
    needed = [x for call in late for x in call.inputs] + graph.trace.flat_outputs
    frontier = {id(x): x for x in needed if id(x) not in changed}
    return Split(tuple(early), tuple(late), tuple(frontier.values()))


def _reads(graph: ChannelGraph, call: Call, readers: set[int]) -> bool:
    """Whether a call is one of the readers, or a nested model that holds one."""
    nested = graph.traces.get(id(call.operation))
    if nested is None:
        return id(call.operation) in readers
    return any(_reads(graph, inner, readers) for inner in nested.calls)
