"""The summary of a graph, gathered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from keras_prune.graph.bindings import Binding, Role
from keras_prune.graph.costs import channel_macs, channel_parameters
from keras_prune.graph.summary import (
    BarrierRow,
    GraphSummary,
    GroupRow,
    MemberRow,
    PinnedRow,
    Range,
)
from keras_prune.graph.unions import STAYS

if TYPE_CHECKING:
    from keras_prune.graph.groups import ChannelGraph, ChannelGroup, Member


def summarize(graph: ChannelGraph) -> GraphSummary:
    """The summary of a graph."""
    macs = channel_macs(graph)
    pinned = [binding for binding in graph.bindings if _stays(graph, binding)]
    return GraphSummary(
        model=graph.model.name,
        groups=tuple(_group(graph, group, macs) for group in graph.groups.values()),
        pinned=tuple(_pinned(graph, binding) for binding in pinned),
        barriers=tuple(BarrierRow(pin.name, pin.reason) for pin in graph.barriers),
    )


def _group(
    graph: ChannelGraph, group: ChannelGroup, macs: Mapping[str, np.ndarray | None]
) -> GroupRow:
    work = macs[group.name]
    return GroupRow(
        name=group.name,
        channels=group.channels,
        parameters=_range(channel_parameters(group)),
        macs=None if work is None else _range(work),
        members=tuple(_member(graph, member) for member in group.members),
    )


def _range(costs: np.ndarray) -> Range:
    return Range(int(costs.min()), int(costs.max()))


def _member(graph: ChannelGraph, member: Member) -> MemberRow:
    binding = member.binding
    name = graph.paths[id(binding.layer)]
    return MemberRow(name, binding.variable.name, binding.axis, binding.role.value)


def _stays(graph: ChannelGraph, binding: Binding) -> bool:
    """Whether a binding makes channels some of which stay."""
    return binding.role is Role.PRODUCER and bool((graph.units_of(binding) == STAYS).any())


def _pinned(graph: ChannelGraph, binding: Binding) -> PinnedRow:
    units = graph.units_of(binding)
    reasons = [f"{pin.name}: {pin.reason}" for pin in graph.causes(binding)]
    return PinnedRow(
        layer=graph.paths[id(binding.layer)],
        pinned=int((units == STAYS).sum()),
        channels=len(units),
        reasons=tuple(reasons) or ("its channels meet a model input or others that stay",),
    )
