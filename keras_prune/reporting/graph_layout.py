"""Where the calls of a graph go on a drawing: a row per depth, and lanes for what skips rows."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from keras_prune.graph import Call, ChannelGraph, Trace


@dataclass(frozen=True)
class Node:
    """A call on the drawing.

    Args:
        call: the call; those of a nested model stand in its place.
        path: the models it is nested in and its own name, joined by `/`.
        sources: the numbers of the nodes whose outputs it takes, ascending.
        row: its depth: one more than that of its deepest source.
        place: its place in the row, counted from the row's middle.
    """

    call: Call
    path: str
    sources: tuple[int, ...]
    row: int
    place: float = 0.0


@dataclass(frozen=True)
class Lane:
    """The way of an edge around the rows it skips.

    Args:
        source: the number of the node it leaves.
        target: the number of the node it enters.
        number: 0 for the lane next to the nodes.
    """

    source: int
    target: int
    number: int


def nodes(graph: ChannelGraph) -> list[Node]:
    """The calls of a model, nested models opened, in rows by depth, in a row by order of call."""
    found: list[Node] = []
    _add(graph.trace, graph.traces, [()] * len(graph.trace.flat_inputs), "", found)
    rows: dict[int, list[int]] = defaultdict(list)
    for number, node in enumerate(found):
        rows[node.row].append(number)
    for row in rows.values():
        for place, number in enumerate(row):
            found[number] = replace(found[number], place=place - (len(row) - 1) / 2)
    return found


def lanes(placed: Sequence[Node]) -> Iterator[Lane]:
    """A lane for every edge that skips a row, short ones nearest the nodes.

    Edges of one lane never run side by side; those that leave the same node may share one.
    """
    taken: list[list[tuple[int, int, int]]] = []  # by lane: first row, last row, source
    for source, target in sorted(_long_edges(placed), key=lambda edge: _span(placed, *edge)):
        first, last = placed[source].row, placed[target].row
        number = next(
            (i for i, lane in enumerate(taken) if _is_free(lane, first, last, source)), len(taken)
        )
        if number == len(taken):
            taken.append([])
        taken[number].append((first, last, source))
        yield Lane(source, target, number)


Sources = Sequence[tuple[int, ...]]
"""For each of some tensors the node that makes it; empty for a model's input."""


def _add(
    traced: Trace, traces: Mapping[int, Trace], inputs: Sources, prefix: str, found: list[Node]
) -> Sources:
    """Adds the calls of one model that is called on `inputs`; returns what makes its outputs."""
    made = dict(zip(map(id, traced.flat_inputs), inputs, strict=True))
    for call in traced.calls:
        inner, path = traces.get(id(call.operation)), prefix + call.name
        if inner:
            passed = [made[id(tensor)] for tensor in call.nested_inputs(inner)]
            outputs = _add(inner, traces, passed, f"{path}/", found)
        else:
            sources = sorted({source for x in call.inputs for source in made[id(x)]})
            row = 1 + max((found[source].row for source in sources), default=-1)
            outputs = [(len(found),)] * len(call.outputs)
            found.append(Node(call, path, tuple(sources), row))
        made.update(zip(map(id, call.outputs), outputs, strict=True))
    return [made[id(tensor)] for tensor in traced.flat_outputs]


def _long_edges(placed: Sequence[Node]) -> list[tuple[int, int]]:
    return [
        (source, target)
        for target, node in enumerate(placed)
        for source in node.sources
        if node.row - placed[source].row > 1
    ]


def _span(placed: Sequence[Node], source: int, target: int) -> int:
    return placed[target].row - placed[source].row


def _is_free(lane: list[tuple[int, int, int]], first: int, last: int, source: int) -> bool:
    return all(end <= first or last <= start or owner == source for start, end, owner in lane)
