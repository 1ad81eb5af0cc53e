"""How many channels each group may keep, whatever the scores say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from keras_prune.errors import ConfigError, unknown
from keras_prune.graph import ChannelGraph, ChannelGroup, ResidualBlock, Role
from keras_prune.graph.blocks import left_with

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
        ratios: name or pattern, as for `exclude` -> the fraction of its channels that such a group
            loses, no more and no less.
        others: whether groups that `ratios` does not name may lose channels.
    """

    min_channels: int
    max_ratio: float
    exclude: tuple[str, ...]
    round_to: int
    ratios: Mapping[str, float] = field(default_factory=dict)
    others: bool = True

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
        for pattern, ratio in self.ratios.items():
            if not is_number(ratio) or not 0 <= ratio < 1:
                raise ConfigError(
                    f"ratios: expected the fraction of channels that {pattern!r} is to lose, in "
                    f"[0, 1). Received: {ratio!r}."
                )
            if ratio > self.max_ratio:
                raise ConfigError(
                    f"ratios and max_ratio contradict: {pattern!r} is to lose {ratio:g} of its "
                    f"channels, and no group more than {self.max_ratio:g}. Raise max_ratio."
                )

    @classmethod
    def of(cls, budget: Budget) -> Limits:
        """The limits of a budget.

        Raises:
            ConfigError: one is out of range.
        """
        if isinstance(budget.exclude, str):
            raise ConfigError(f"exclude: expected a list of names. Received: {budget.exclude!r}.")
        if not isinstance(budget.ratios, Mapping):
            raise ConfigError(
                "ratios: expected a dict of patterns and fractions, such as {'block1_*': 0.25}. "
                f"Received: {budget.ratios!r}."
            )
        return cls(
            budget.min_channels,
            budget.max_ratio,
            tuple(budget.exclude),
            budget.round_to,
            budget.ratios,
            budget.kind != "ratios",
        )

    def levels(self, graph: ChannelGraph, origin: ChannelGraph) -> dict[str, np.ndarray]:
        """The numbers of channels each group may keep, ascending.

        The last is all it has, or the only one where `ratios` says what it loses.

        Args:
            graph: the graph to prune.
            origin: that of the unpruned model, by whose channels `max_ratio` counts.
        """
        excluded, fixed = self.excluded(graph), self.fixed(graph)

        def of(name: str, channels: int) -> np.ndarray:
            before = origin.groups[name].channels
            if name in fixed:
                return self._level_of(name, channels, before, fixed[name])
            if name in excluded or not self.others:
                return np.array([channels])
            return self._levels(channels, before)

        return {name: of(name, group.channels) for name, group in graph.groups.items()}

    def fixed(self, graph: ChannelGraph) -> dict[str, str]:
        """Group -> the pattern that says what it loses.

        Raises:
            ConfigError: a pattern matches nothing, or something that others say otherwise of.
        """
        if not self.ratios:
            return {}
        named, excluded, found = _named(graph), self.excluded(graph), dict[str, str]()
        for pattern, ratio in self.ratios.items():
            matched = sorted(_matched(pattern, named, "to prune by a ratio"))
            if not matched:
                raise ConfigError(
                    f"ratios: {pattern!r} is to lose {ratio:g} of its channels, and they all stay: "
                    f"{_holding(graph, pattern)}. Leave it out."
                )
            for group in matched:
                other = found.setdefault(group, pattern)
                if self.ratios[other] != ratio:
                    raise ConfigError(
                        f"ratios contradict: group {group!r} is to lose {self.ratios[other]:g} of "
                        f"its channels by {other!r}, and {ratio:g} by {pattern!r}. Give it once."
                    )
                if group in excluded:
                    raise ConfigError(
                        f"ratios and exclude contradict: group {group!r} is to lose {ratio:g} of "
                        f"its channels by {pattern!r}, and to stay whole. Leave it out of one."
                    )
        return found

    def _level_of(self, name: str, channels: int, before: int, pattern: str) -> np.ndarray:
        """The one number that a group with a ratio of its own keeps."""
        most = math.floor(before * (1 - self.ratios[pattern]) + SLACK)
        fitting = [n for n in self._levels(channels, before) if n <= max(most, 1)]
        if channels <= most:
            return np.array([channels])
        if not fitting:
            raise ConfigError(
                f"ratios and {replace(self, ratios={})} contradict: group {name!r} of {before} "
                f"channels is to keep {max(most, 1)} by {pattern!r}."
            )
        return np.array(fitting[-1:])

    def _levels(self, channels: int, before: int) -> np.ndarray:
        least = max(self.min_channels, math.ceil(before * (1 - self.max_ratio) - SLACK))
        counts = np.arange(min(least, channels), channels + 1)
        return counts[(counts % self.round_to == 0) | (counts == channels)]

    def excluded(self, graph: ChannelGraph) -> set[str]:
        """The names of the groups that stay whole.

        Raises:
            ConfigError: a name or pattern matches nothing.
        """
        named = _named(graph)
        return {
            group for pattern in self.exclude for group in _matched(pattern, named, "to exclude")
        }

    def blocks(self, graph: ChannelGraph) -> list[str]:
        """The residual blocks that may leave: nothing here names their layers or groups."""
        patterns = (*self.exclude, *self.ratios)
        whole = self.excluded(graph) | set(self.fixed(graph))

        def is_free(block: ResidualBlock) -> bool:
            paths = [graph.paths[id(call.operation)] for call in block.calls]
            inside = tuple(f"{path}/" for path in paths)
            within = [path for path in graph.paths.values() if path.startswith(inside)]
            named = any(_matches(path, p) for path in (*paths, *within) for p in patterns)
            return not named and whole.isdisjoint(left_with(graph, [block.name]))

        return [name for name, block in graph.blocks.items() if is_free(block)]

    def __str__(self) -> str:
        """The limits as one writes them, those that were not set left out."""
        given = {
            "min_channels": True,
            "max_ratio": self.max_ratio < 1,
            "exclude": bool(self.exclude),
            "round_to": self.round_to > 1,
            "ratios": bool(self.ratios),
        }
        return ", ".join(f"{key}={getattr(self, key)!r}" for key, told in given.items() if told)


def keep_all(levels: Mapping[str, np.ndarray], graph: ChannelGraph) -> bool:
    """Whether no group may lose a channel at any level."""
    return all(counts[0] == graph.groups[name].channels for name, counts in levels.items())


def _named(graph: ChannelGraph) -> dict[str, set[str]]:
    """Name -> the groups that go by it; layers whose channels all stay have none."""
    named: dict[str, set[str]] = {graph.paths[id(b.layer)]: set() for b in graph.bindings}
    for group in graph.groups.values():
        for name in _names(graph, group):
            named.setdefault(name, set()).add(group.name)
    return named


def _names(graph: ChannelGraph, group: ChannelGroup) -> Iterator[str]:
    """What a group goes by: its name, and the layers that make or carry its channels."""
    yield group.name
    for member in group.members:
        if member.binding.role is not Role.CONSUMER:
            yield graph.paths[id(member.binding.layer)]


def _holding(graph: ChannelGraph, pattern: str) -> str:
    """Why the channels of layers that no group goes by stay."""
    causes = (
        f"{pin.name} ({pin.reason})"
        for binding in graph.bindings
        if _matches(graph.paths[id(binding.layer)], pattern)
        for pin in graph.causes(binding)
    )
    return next(causes, "others hold them")


def _matched(pattern: str, named: Mapping[str, set[str]], purpose: str) -> set[str]:
    """The groups behind the names that a pattern matches."""
    found = [name for name in named if _matches(name, pattern)]
    if not found:
        raise ConfigError(unknown(f"layer or group {purpose}", pattern, named))
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
