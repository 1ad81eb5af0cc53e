"""How many channels each group may keep, whatever the scores say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from keras_prune.errors import ConfigError, unknown
from keras_prune.graph import ChannelGraph, ChannelGroup, Role

if TYPE_CHECKING:
    from keras_prune.budgets.budget import Budget

SLACK = 1e-9
"""What rounding may cost a product such as `10 · (1 - 0.9)`."""


@dataclass(frozen=True)
class Limits:
    """What a budget must leave to every group.

    Args:
        min_channels: each group keeps at least so many, or all it has; at least 1.
        max_ratio: at most this fraction of a group's channels is removed, in (0, 1].
        exclude: names of groups, or of layers whose own channels stay; or patterns of them.
        round_to: a group keeps a multiple of it, or stays whole.
    """

    min_channels: int
    max_ratio: float
    exclude: tuple[str, ...]
    round_to: int

    def __post_init__(self) -> None:
        for key in ("min_channels", "round_to"):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f"{key}: expected a whole number from 1. Received: {value!r}.")
        if not is_number(self.max_ratio) or not 0 < self.max_ratio <= 1:
            raise ConfigError(
                "max_ratio: expected the largest fraction of a group's channels to remove, in "
                f"(0, 1]. Received: {self.max_ratio!r}."
            )

    @classmethod
    def of(cls, budget: Budget) -> Limits:
        """The limits of a budget.

        Raises:
            ConfigError: one is out of range.
        """
        if isinstance(budget.exclude, str):
            raise ConfigError(f"exclude: expected a list of names. Received: {budget.exclude!r}.")
        return cls(budget.min_channels, budget.max_ratio, tuple(budget.exclude), budget.round_to)

    def levels(self, graph: ChannelGraph, origin: ChannelGraph) -> dict[str, np.ndarray]:
        """The numbers of channels each group may keep, ascending; the last is all it has.

        Args:
            graph: the graph to prune.
            origin: that of the unpruned model, by whose channels `max_ratio` counts.
        """
        excluded = self.excluded(graph)
        return {
            name: np.array([group.channels])
            if name in excluded
            else self._levels(group.channels, origin.groups[name].channels)
            for name, group in graph.groups.items()
        }

    def _levels(self, channels: int, before: int) -> np.ndarray:
        least = max(self.min_channels, math.ceil(before * (1 - self.max_ratio) - SLACK))
        counts = np.arange(min(least, channels), channels + 1)
        return counts[(counts % self.round_to == 0) | (counts == channels)]

    def excluded(self, graph: ChannelGraph) -> set[str]:
        """The names of the groups that stay whole.

        Raises:
            ConfigError: a name or pattern matches nothing.
        """
        named: dict[str, set[str]] = {graph.paths[id(b.layer)]: set() for b in graph.bindings}
        for group in graph.groups.values():
            for name in _names(graph, group):
                named.setdefault(name, set()).add(group.name)
        return {group for pattern in self.exclude for group in _matched(pattern, named)}

    def __str__(self) -> str:
        """The limits as one writes them, those that were not set left out."""
        given = {
            "min_channels": True,
            "max_ratio": self.max_ratio < 1,
            "exclude": bool(self.exclude),
            "round_to": self.round_to > 1,
        }
        return ", ".join(f"{key}={getattr(self, key)!r}" for key, told in given.items() if told)


def _names(graph: ChannelGraph, group: ChannelGroup) -> Iterator[str]:
    """What a group goes by: its name, and the layers that make or carry its channels."""
    yield group.name
    for member in group.members:
        if member.binding.role is not Role.CONSUMER:
            yield graph.paths[id(member.binding.layer)]


def _matched(pattern: str, named: Mapping[str, set[str]]) -> set[str]:
    """The groups behind the names that a pattern matches; layers whose channels stay have none."""
    found = [name for name in named if _matches(name, pattern)]
    if not found:
        raise ConfigError(unknown("layer or group to exclude", pattern, named))
    return set().union(*(named[name] for name in found))


def _matches(path: str, pattern: str) -> bool:
    """Whether a pattern fits a layer's name, or that with the models it is nested in."""
    return fnmatchcase(path, pattern) or fnmatchcase(path.rsplit("/", 1)[-1], pattern)


def bound(budget: Budget, graph: ChannelGraph) -> str:
    """What keeps a plan from going further, for messages."""
    pinned = ", ".join(dict.fromkeys(pin.name for pin in graph.pins[:5]))
    return f"{Limits.of(budget)} and the channels pinned by {pinned}"


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number and not a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)
