"""What the walk writes down: which slices of weights belong to a channel, and what must stay."""

from dataclasses import dataclass
from enum import StrEnum

import keras
import numpy as np


class Role(StrEnum):
    """What a weight's axis has to do with the channels bound to it."""

    PRODUCER = "producer"  # the layer makes the channel: kernel[..., j]
    CONSUMER = "consumer"  # the layer reads the channel: kernel[..., i, :]
    CHANNELWISE = "channelwise"  # the weight belongs to the channel: bias[j], gamma[j]


@dataclass(frozen=True, eq=False)
class Binding:
    """One axis of one weight, position by position bound to labels.

    Args:
        layer: the layer that owns the weight.
        variable: the weight.
        axis: the bound axis, counted from 0.
        labels: the labels, shape `(length of the axis,)`.
        role: what the axis has to do with them.
        part: what the channels are, where the layer makes several kinds of them.
        silences: whether a channel that leaves is silenced here: where it is read, or, as what
            reads it has no weights, where it is made.
    """

    layer: keras.Layer
    variable: keras.Variable
    axis: int
    labels: np.ndarray
    role: Role
    part: str = ""
    silences: bool = False


@dataclass(frozen=True, eq=False)
class Statistic:
    """The channels over which a norm computes its statistic; it changes when one leaves.

    Args:
        layer: the norm.
        axis: their axis, counted from the end: -1 is the last.
        labels: the labels, shape `(length of the axis,)`.
    """

    layer: keras.Layer
    axis: int
    labels: np.ndarray


@dataclass(frozen=True)
class Pin:
    """Why some channels must stay.

    Args:
        name: the call or tensor at which they were pinned.
        reason: why.
        barrier: whether the whole operation is one that no rule can vouch for.
    """

    name: str
    reason: str
    barrier: bool = False


class Unsupported(Exception):  # noqa: N818 - a verdict, not an error
    """A rule cannot prove what an operation does to channels: the operation becomes a barrier."""
