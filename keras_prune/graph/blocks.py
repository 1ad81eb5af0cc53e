"""Residual blocks: branches beside a shortcut, which can leave whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import keras

from keras_prune.graph.bindings import Role
from keras_prune.graph.calls import Call, Trace, is_model
from keras_prune.graph.members import Member

if TYPE_CHECKING:
    from keras_prune.graph.groups import ChannelGraph


@dataclass(frozen=True, eq=False)
class ResidualBlock:
    """A branch between a tensor and the sum that joins it to that tensor again.

    It stays or leaves whole, like a group of one channel. Once it has left, the sum is the tensor:
    as if the branch had made zeros.

    Args:
        name: that of the branch's last layer with weights, and what tells it from a group's.
        join: the sum.
        source: the tensor.
        calls: what only the branch needs.
        silencers: the weights that make the branch zero, once they are.
    """

    name: str
    join: Call
    source: keras.KerasTensor
    calls: tuple[Call, ...]
    silencers: tuple[Member, ...]

    channels: ClassVar[int] = 1


Shortcuts = Mapping[int, keras.KerasTensor | None]
"""By `id` of a call that leaves: the tensor in the place of what it returns, None for nothing."""


def shortcuts(graph: ChannelGraph, blocks: Collection[ResidualBlock]) -> Shortcuts:
    """What takes the place of calls once some blocks have left, and what they alone needed."""
    if not blocks:
        return {}
    found: dict[int, keras.KerasTensor | None] = {id(block.join): block.source for block in blocks}
    for traced in graph.traces.values():
        needed = set(map(id, traced.flat_outputs))
        for call in reversed(traced.calls):
            if needed.isdisjoint(map(id, call.outputs)):
                found[id(call)] = None
            elif id(call) in found:
                needed.add(id(found[id(call)]))
            else:
                needed.update(map(id, call.inputs))
    return found


def pass_by(call: Call, leaving: Shortcuts, tensors: dict[int, Any]) -> None:
    """Lets a sum that leaves return what its shortcut brings; any other call returns nothing."""
    source = leaving[id(call)]
    if source is not None:
        tensors[id(call.outputs[0])] = tensors[id(source)]


def called(graph: ChannelGraph, traced: Trace, leaving: Shortcuts) -> Iterator[keras.Operation]:
    """What is called in a model and in those nested in it, once some calls have left."""
    for call in traced.calls:
        if id(call) in leaving:
            continue
        if is_model(call.operation):
            yield from called(graph, graph.traces[id(call.operation)], leaving)
        else:
            yield call.operation


def left_with(graph: ChannelGraph, names: Collection[str]) -> set[str]:
    """The groups whose channels are all made by layers that leave with some blocks."""
    leaving = shortcuts(graph, [graph.blocks[name] for name in names])
    if not leaving:
        return set()
    left = {id(operation) for operation in called(graph, graph.trace, leaving)}
    return {
        group.name
        for group in graph.groups.values()
        if all(id(member.binding.layer) not in left for member in group.by_role(Role.PRODUCER))
    }
