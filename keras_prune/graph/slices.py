"""The slices of a weight that each channel of a group owns."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_prune.graph.groups import ChannelGroup
from keras_prune.graph.members import Member


def channel_slices(group: ChannelGroup, member: Member) -> np.ndarray:
    """What each channel owns of one weight, end to end.

    Args:
        group: the group.
        member: one of its members.

    Returns:
        float32, shape `(channels, values)`. A channel that owns fewer values than another one has
        zeros behind them.

    Example:

    >>> from keras_prune.graph import ChannelGraph
    >>> model = keras.Sequential([
    ...     keras.Input((8, 8, 3)),
    ...     keras.layers.Conv2D(4, 3, name="conv"),
    ...     keras.layers.GlobalAveragePooling2D(),
    ...     keras.layers.Dense(10),
    ... ])
    >>> group = ChannelGraph(model).groups["conv"]
    >>> [channel_slices(group, member).shape for member in group.members]
    [(4, 27), (4, 1), (4, 10)]
    """
    values = keras.ops.convert_to_numpy(member.binding.variable).astype("float32", copy=False)
    rows = np.moveaxis(values, member.binding.axis, 0).reshape(len(member.owner), -1)
    if np.array_equal(member.owner, np.arange(group.channels)):
        return rows
    places = np.argsort(member.owner, kind="stable")[np.count_nonzero(member.owner < 0) :]
    owner, counts = member.owner[places], positions_owned(group, member)
    if len(places) and (counts == counts[0]).all():
        return rows[places].reshape(group.channels, -1)
    nth = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
    slices = np.zeros((group.channels, counts.max(), rows.shape[1]), "float32")
    slices[owner, nth] = rows[places]
    return slices.reshape(group.channels, -1)


def positions_owned(group: ChannelGroup, member: Member) -> np.ndarray:
    """How many positions of the axis each channel owns, shape `(channels,)`."""
    return np.bincount(member.owner[member.owner >= 0], minlength=group.channels)


def by_channel(rows: Any, owner: np.ndarray, channels: int) -> Any:
    """The rows of each channel added up: `(positions, ...)` to `(channels, ...)`."""
    owned = np.flatnonzero(owner >= 0)
    return ops.segment_sum(ops.take(rows, owned, axis=0), owner[owned], channels)


def slice_sums(values: Any, member: Member, channels: int) -> Any:
    """The sum of what each channel owns of a tensor shaped like a weight, `(channels,)`."""
    others = [axis for axis in range(len(values.shape)) if axis != member.binding.axis]
    return by_channel(ops.sum(values, axis=others), member.owner, channels)


def at_positions(factors: Any, owner: np.ndarray) -> Any:
    """The factor of the channel at each position, 1 at those of none.

    `(channels, ...)` to `(positions, ...)`.
    """
    of_none = ops.ones_like(factors[:1])
    return ops.take(ops.concatenate([of_none, factors]), owner + 1, axis=0)
