"""What a graph holds, as plain data: groups, what stays and why, and what no rule knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from keras_prune.graph.bindings import Binding, Role
from keras_prune.graph.costs import channel_macs, channel_parameters
from keras_prune.graph.unions import STAYS

if TYPE_CHECKING:
    import pandas as pd

    from keras_prune.graph.groups import ChannelGraph, ChannelGroup
    from keras_prune.graph.members import Member


class Range(NamedTuple):
    """A figure of one channel of a group.

    Args:
        least: that of its cheapest channel.
        most: that of its dearest; the same in most groups.
    """

    least: int
    most: int

    def __str__(self) -> str:
        figures = dict.fromkeys(f"{figure:,}" for figure in self)
        return " to ".join(figures)


@dataclass(frozen=True)
class MemberRow:
    """A weight's axis that shrinks with a group.

    Args:
        layer: the layer that owns the weight, with the models it is nested in.
        weight: the weight.
        axis: the axis, counted from 0.
        role: `producer`, `consumer` or `channelwise`.
    """

    layer: str
    weight: str
    axis: int
    role: str


@dataclass(frozen=True)
class GroupRow:
    """A group of channels.

    Args:
        name: its name.
        channels: how many channels can stay or leave.
        parameters: weights that leave with one channel; what its slices share is counted once.
        macs: by how much the model's multiply-accumulates on one example drop with it; None if no
            rule can count them or a tensor has an unknown length.
        members: what shrinks with the group.
    """

    name: str
    channels: int
    parameters: Range
    macs: Range | None
    members: tuple[MemberRow, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers of the members, each once."""
        return tuple(dict.fromkeys(member.layer for member in self.members))


@dataclass(frozen=True)
class PinnedRow:
    """A layer that makes channels which must stay.

    Args:
        layer: its name, with the models it is nested in.
        pinned: how many of its channels stay.
        channels: how many it makes.
        reasons: why.
    """

    layer: str
    pinned: int
    channels: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class BarrierRow:
    """An operation no rule can vouch for: all it touches stays.

    Args:
        name: its name.
        reason: why.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class GraphSummary:
    """What can be pruned and what one channel costs; what stays, and why.

    Args:
        model: the model's name.
        groups: the groups, in the order of the model's layers; one channel alone cannot leave.
        pinned: layers with channels that stay, likewise.
        barriers: operations no rule can vouch for, also where they pin nothing that was free.
        blocks: residual blocks that can leave whole, by the name of the branch's last layer.
    """

    model: str
    groups: tuple[GroupRow, ...]
    pinned: tuple[PinnedRow, ...]
    barriers: tuple[BarrierRow, ...]
    blocks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The same as dictionaries and lists, ready for JSON."""
        return {
            "model": self.model,
            "groups": [_plain(row) for row in self.groups],
            "pinned": [_plain(row) for row in self.pinned],
            "barriers": [_plain(row) for row in self.barriers],
            "blocks": list(self.blocks),
        }

    def to_frame(self) -> pd.DataFrame:
        """One row per group, indexed by its name.

        Returns:
            Columns `channels`, `parameters_least`, `parameters_most`, `macs_least`, `macs_most`
            (missing where the work is unknown) and `layers`.
        """
        import pandas as pd

        columns = {
            "channels": [row.channels for row in self.groups],
            "parameters_least": [row.parameters.least for row in self.groups],
            "parameters_most": [row.parameters.most for row in self.groups],
            "macs_least": [row.macs and row.macs.least for row in self.groups],
            "macs_most": [row.macs and row.macs.most for row in self.groups],
        }
        index = pd.Index([row.name for row in self.groups], name="group", dtype=str)
        frame = pd.DataFrame(columns, index=index, dtype="Int64")
        return frame.assign(layers=[", ".join(row.layers) for row in self.groups])

    def __str__(self) -> str:
        """The groups as a table for a terminal, a line for all that stays."""
        import pandas as pd

        channels = sum(row.channels for row in self.groups)
        lines = [
            f"{self.model}: {_number(len(self.groups), 'group')}, "
            f"{_number(channels, 'channel')} that can leave"
        ]
        if self.groups:
            table = pd.DataFrame([_cells(row) for row in self.groups]).set_index("group")
            lines += [line.rstrip() for line in table.to_string().split("\n")]
        for row in self.pinned:
            why = "; ".join(row.reasons)
            lines.append(f"Pinned: {row.layer}, {row.pinned} of {row.channels} channels ({why})")
        lines += [f"Barrier: {barrier.name}: {barrier.reason}" for barrier in self.barriers]
        if self.blocks:
            lines.append(f"Residual blocks that can leave whole: {', '.join(self.blocks)}")
        return "\n".join(lines)


def _plain(row: GroupRow | PinnedRow | BarrierRow) -> dict[str, Any]:
    plain = asdict(row)
    for figure in ("parameters", "macs"):
        if plain.get(figure) is not None:
            plain[figure] = plain[figure]._asdict()
    return plain


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + "s" * (count != 1)


def _cells(row: GroupRow) -> dict[str, str]:
    return {
        "group": row.name,
        "channels": f"{row.channels:,}",
        "parameters": str(row.parameters),
        "macs": str(row.macs or "?"),
        "layers": ", ".join(row.layers),
    }


def summarize(graph: ChannelGraph) -> GraphSummary:
    """The summary of a graph."""
    macs = channel_macs(graph)
    pinned = [binding for binding in graph.bindings if _stays(graph, binding)]
    several = [group for group in graph.groups.values() if group.channels > 1]
    alone = [group for group in graph.groups.values() if group.channels == 1]
    return GraphSummary(
        model=graph.model.name,
        groups=tuple(_group(graph, group, macs) for group in several),
        pinned=(
            *(_pinned(graph, binding) for binding in pinned),
            *(PinnedRow(group.name, 1, 1, ("no other is left of it",)) for group in alone),
        ),
        barriers=tuple(BarrierRow(pin.name, pin.reason) for pin in graph.barriers),
        blocks=tuple(graph.blocks),
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
