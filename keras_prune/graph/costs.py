"""What one channel costs: the parameters and the work that leave with it alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from keras_prune.errors import ModelError
from keras_prune.graph.axes import Axis, Places, occurrences
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.nested import LocatedCall, opened
from keras_prune.graph.smaller import smaller
from keras_prune.graph.work import macs

if TYPE_CHECKING:
    from keras_prune.graph.groups import ChannelGraph, ChannelGroup


def channel_parameters(group: ChannelGroup) -> np.ndarray:
    """How many weights leave with each channel if no other channel leaves.

    For every weight `W` of the group: `size(W) - prod over axes (length - positions of the
    channel)`. What two slices of the channel share is counted once.

    Returns:
        Shape `(channels,)`.
    """
    axes = defaultdict(list)
    for member in group.members:
        axes[id(member.binding.variable)].append(member)
    costs = np.zeros(group.channels, int)
    for members in axes.values():
        shape = members[0].binding.variable.shape
        left = np.full((len(shape), group.channels), np.reshape(shape, (-1, 1)))
        for member in members:
            left[member.binding.axis] -= occurrences(member.owner, group.channels)
        costs += math.prod(shape) - left.prod(axis=0)
    return costs


def channel_macs(graph: ChannelGraph) -> dict[str, np.ndarray | None]:
    """By how much the model's MACs drop if a channel leaves and no other does.

    Returns:
        For each group shape `(channels,)`; None where no rule can count the work or where a tensor
        has an unknown length.
    """
    costs = {name: np.zeros(group.channels, int) for name, group in graph.groups.items()}
    unknown = set()
    places = Places(graph)
    try:
        for located in opened(graph.trace, graph.traces):
            for name, counts in places.counts(located.traced).items():
                try:
                    costs[name] += _drops(located, counts)
                except Unsupported:
                    unknown.add(name)
    except ModelError:  # a tensor of unknown length
        unknown = set(costs)
    return {name: None if name in unknown else cost for name, cost in costs.items()}


def _drops(located: LocatedCall, counts: Mapping[Axis, np.ndarray]) -> np.ndarray:
    """The MACs of a call that leave with each channel; channels that look alike count once."""
    whole, table = macs(located.call), np.stack(list(counts.values()))
    if not whole:
        return np.zeros(table.shape[1], int)
    kinds, kind = np.unique(table, axis=1, return_inverse=True)
    left = [
        macs(smaller(located, dict(zip(counts, column.tolist(), strict=True))))
        for column in kinds.T
    ]
    return whole - np.array(left)[kind.ravel()]
