"""Criteria that look at weights only; they need no data and run on every backend of Keras."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_prune.criteria.base import Criterion, Scores
from keras_prune.criteria.reductions import check_reduction, counted, joined
from keras_prune.graph import ChannelGraph, ChannelGroup, Member
from keras_prune.graph.slices import channel_slices


@dataclass(frozen=True)
class WeightCriterion(Criterion):
    """Scores a group's weights one by one and joins them; a subclass says how to `measure` one."""

    reduction: str = "mean"

    def __post_init__(self) -> None:
        check_reduction(self.reduction)

    def scores(self, graph: ChannelGraph, data: Any) -> Scores:
        return {name: self.group_scores(group) for name, group in graph.groups.items()}

    def group_scores(self, group: ChannelGroup) -> np.ndarray:
        """The scores of one group, shape `(channels,)`."""

        def measured(member: Member) -> np.ndarray:
            return self.measure(channel_slices(group, member))

        return joined(group, self.members(group), measured, self.reduction)

    def members(self, group: ChannelGroup) -> list[Member]:
        """The weights that count."""
        raise NotImplementedError

    def measure(self, slices: np.ndarray) -> np.ndarray:
        """The scores of the slices of one weight: `(channels, values)` to `(channels,)`."""
        raise NotImplementedError


_PAIRS = 2**23
"""Pairs of channels that are looked at at once: 64 MiB of numbers."""


def parts_of_pairs(channels: int) -> Iterator[slice]:
    """Parts of a group's channels, small enough for a table of each with all the others.

    Example:

    >>> list(parts_of_pairs(3))
    [slice(0, 3, None)]
    """
    size = max(1, _PAIRS // max(1, channels))
    for start in range(0, channels, size):
        yield slice(start, min(start + size, channels))


@dataclass(frozen=True)
class KernelCriterion(WeightCriterion):
    """A weight criterion of kernels: those that make a channel and those that read it.

    A BatchNorm between the two makes the scale of the first arbitrary, and the second says how much
    of the channel arrives. Biases and BatchNorm weights do not count unless asked for.
    """

    consumers: bool = True
    affine: bool = False

    def __post_init__(self) -> None:
        check_reduction(self.reduction, self.affine)

    def members(self, group: ChannelGroup) -> list[Member]:
        return counted(group, self.consumers, self.affine)
