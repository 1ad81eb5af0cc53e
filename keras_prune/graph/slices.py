"""The slices of a weight that each channel of a group owns."""

import keras
import numpy as np

from keras_prune.graph.groups import ChannelGroup, Member


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
    places = np.argsort(member.owner, kind="stable")[np.count_nonzero(member.owner < 0) :]
    owner, counts = member.owner[places], positions_owned(group, member)
    nth = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
    slices = np.zeros((group.channels, counts.max(), rows.shape[1]), "float32")
    slices[owner, nth] = rows[places]
    return slices.reshape(group.channels, -1)


def positions_owned(group: ChannelGroup, member: Member) -> np.ndarray:
    """How many positions of the axis each channel owns, shape `(channels,)`."""
    return np.bincount(member.owner[member.owner >= 0], minlength=group.channels)
