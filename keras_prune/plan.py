"""The decision as plain data: which channels of which groups stay, and which blocks leave."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import index
from pathlib import Path
from typing import Any

import numpy as np

from keras_prune.errors import PlanError, unknown
from keras_prune.graph import ChannelGraph, ChannelGroup, ResidualBlock
from keras_prune.utils.files import read_json, write_text


@dataclass(frozen=True)
class PruningPlan:
    """Which channels stay, group by group. A group that is not named stays whole.

    Args:
        kept: group name -> indices of the channels that stay, ascending.
        fingerprint: the fingerprint of the graph the plan was made for.
        channels: group name -> channels the group had; the same keys as `kept`.
        admit_norms: whether the graph let channels leave norms over channels; default: not.
        blocks: the names of the residual blocks that leave; default: none.

    Raises:
        PlanError: a group would be emptied, or indices are not ascending or out of range.

    Example:

    >>> PruningPlan({"conv1": (0, 2)}, "abc", {"conv1": 4}).ratio("conv1")
    0.5
    """

    kept: Mapping[str, tuple[int, ...]]
    fingerprint: str
    channels: Mapping[str, int] = field(default_factory=dict)
    admit_norms: bool = False
    blocks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, channels in self.kept.items():
            if not channels:
                raise PlanError(f"The plan empties group {name!r}. Keep at least one channel.")
            if list(channels) != sorted(set(channels)):
                raise PlanError(f"Group {name!r}: expected ascending indices, each named once.")
            if channels[0] < 0 or channels[-1] >= self.channels.get(name, 0):
                raise PlanError(
                    f"Group {name!r}: expected indices from 0 to {self.channels.get(name, 0) - 1}. "
                    f"Received: {channels[0]} to {channels[-1]}."
                )

    @classmethod
    def from_masks(
        cls, graph: ChannelGraph, masks: Mapping[str, Any], blocks: Sequence[str] = ()
    ) -> PruningPlan:
        """A plan from one mask per group, shape `(channels,)`, 1 = keep.

        Raises:
            PlanError: a group is unknown, a mask has another length, or nothing would be left.
        """
        kept: dict[str, Sequence[int]] = {}
        for name, mask in masks.items():
            _check_group(graph, name)
            if np.shape(mask) != (graph.groups[name].channels,):
                raise PlanError(
                    f"Group {name!r}: expected a mask of shape ({graph.groups[name].channels},). "
                    f"Received: {np.shape(mask)}."
                )
            kept[name] = tuple(np.flatnonzero(mask).tolist())
        return cls.for_graph(graph, kept, blocks)

    @classmethod
    def for_graph(
        cls, graph: ChannelGraph, kept: Mapping[str, Sequence[int]], blocks: Sequence[str] = ()
    ) -> PruningPlan:
        """A plan for a graph from the channels that stay, and the residual blocks that leave.

        Raises:
            PlanError: a group or block is unknown, or a channel is no whole number.
        """
        for name in kept:
            _check_group(graph, name)
        _check_blocks(graph, blocks)
        channels = {name: graph.groups[name].channels for name in kept}
        whole = {name: _whole(name, ids) for name, ids in kept.items()}
        return cls(whole, graph.fingerprint, channels, graph.admit_norms, tuple(blocks))

    @property
    def drops_channels(self) -> bool:
        """Whether a channel of any group leaves."""
        return any(len(kept) < self.channels[name] for name, kept in self.kept.items())

    def mask(self, part: ChannelGroup | ResidualBlock) -> np.ndarray:
        """Whether each channel of a group stays, or a residual block, shape `(channels,)`.

        Example:

        >>> inputs = keras.Input((10,))
        >>> hidden = keras.layers.Dense(4, name="hidden")(inputs)
        >>> graph = ChannelGraph(keras.Model(inputs, keras.layers.Dense(2)(hidden)))
        >>> PruningPlan.for_graph(graph, {"hidden": (0, 3)}).mask(graph.groups["hidden"]).tolist()
        [True, False, False, True]
        """
        if part.name in self.blocks:
            return np.zeros(part.channels, bool)
        channels = np.arange(part.channels)
        return np.isin(channels, self.kept.get(part.name, channels))

    def ratio(self, name: str) -> float:
        """The pruning ratio of a group: the fraction of channels removed, in [0, 1)."""
        return 1 - len(self.kept[name]) / self.channels[name]

    def then(self, later: PruningPlan) -> PruningPlan:
        """This plan and one made for the model it gives, as one plan for the original model.

        Raises:
            PlanError: the later plan was not made for that model, or residual blocks leave with
                this one: without them there may be other groups and blocks.
        """
        if self.blocks:
            raise PlanError(
                f"The plans do not compose: with the first {', '.join(self.blocks)} leave, and "
                "without them there may be other groups. Make one plan, or keep both."
            )
        if self.admit_norms != later.admit_norms:
            raise PlanError(
                f"The plans do not compose: the first was made with admit_norms={self.admit_norms},"
                f" the later one with {later.admit_norms}. Make both from graphs of the same kind."
            )
        kept = dict(self.kept)
        for name, channels in later.kept.items():
            before = kept.get(name, range(later.channels[name]))
            if len(before) != later.channels[name]:
                raise PlanError(
                    f"The plans do not compose: group {name!r} has {len(before)} channels left, "
                    f"the later plan expects {later.channels[name]}."
                )
            kept[name] = tuple(before[channel] for channel in channels)
        channels_before = {**later.channels, **self.channels}
        return PruningPlan(kept, self.fingerprint, channels_before, self.admit_norms, later.blocks)

    def check(self, graph: ChannelGraph) -> None:
        """Raises a `PlanError` if the plan was made for another model."""
        if self.admit_norms != graph.admit_norms:
            raise PlanError(
                f"The plan was made with admit_norms={self.admit_norms}, the graph with "
                f"{graph.admit_norms}. Use ChannelGraph(model, admit_norms={self.admit_norms})."
            )
        for name in self.kept:
            _check_group(graph, name)
            if self.channels[name] != graph.groups[name].channels:
                raise PlanError(
                    f"Group {name!r} has {graph.groups[name].channels} channels. "
                    f"The plan expects {self.channels[name]}."
                )
        _check_blocks(graph, self.blocks)
        if self.fingerprint != graph.fingerprint:
            raise PlanError(
                f"The plan was made for another model (fingerprint {self.fingerprint}, model "
                f"{graph.model.name!r} has {graph.fingerprint}). Make a plan for this model."
            )

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain data that `json.dumps` takes."""
        return {
            "fingerprint": self.fingerprint,
            "admit_norms": self.admit_norms,
            "blocks": list(self.blocks),
            "groups": {
                name: {"channels": self.channels[name], "kept": list(channels)}
                for name, channels in self.kept.items()
            },
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> PruningPlan:
        """The plan that `to_dict` described.

        Raises:
            PlanError: it is none.
        """
        try:
            groups = content["groups"]
            kept = {name: tuple(map(index, group["kept"])) for name, group in groups.items()}
            channels = {name: index(group["channels"]) for name, group in groups.items()}
            fingerprint, admit_norms = content["fingerprint"], content.get("admit_norms", False)
            blocks = content.get("blocks", ())
            if not (isinstance(fingerprint, str) and isinstance(admit_norms, bool)):
                raise TypeError("fingerprint has to be a text, and admit_norms true or false")
            if isinstance(blocks, str) or not all(isinstance(name, str) for name in blocks):
                raise TypeError("blocks has to be a list of names")
            return cls(kept, fingerprint, channels, admit_norms, tuple(blocks))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PlanError(f"Not a pruning plan ({type(error).__name__}: {error}).") from error

    def save(self, path: str | Path) -> None:
        """Writes the plan as JSON, whole or not at all."""
        write_text(Path(path), json.dumps(self.to_dict()))

    @classmethod
    def load(cls, path: str | Path) -> PruningPlan:
        """Reads a plan from JSON.

        Raises:
            PlanError: the file is missing or not a plan.
        """
        try:
            return cls.from_dict(read_json(Path(path)))
        except (OSError, ValueError, PlanError) as error:
            raise PlanError(
                f"{path} is not a pruning plan ({type(error).__name__}: {error})."
            ) from error


def _whole(name: str, channels: Sequence[int]) -> tuple[int, ...]:
    try:
        return tuple(map(index, channels))
    except TypeError as error:
        raise PlanError(
            f"Group {name!r}: expected the numbers of channels. Received: {channels!r}."
        ) from error


def _check_group(graph: ChannelGraph, name: str) -> None:
    if name not in graph.groups:
        raise PlanError(unknown("group", name, graph.groups))


def _check_blocks(graph: ChannelGraph, names: Sequence[str]) -> None:
    for name in names:
        if name not in graph.blocks:
            raise PlanError(unknown("residual block", name, graph.blocks))
