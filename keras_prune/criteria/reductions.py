"""Scores of a group's several weights joined into one."""

from collections.abc import Callable

import numpy as np

from keras_prune.errors import ConfigError, unknown
from keras_prune.graph import ChannelGroup, Member, Role
from keras_prune.graph.slices import positions_owned

Measure = Callable[[Member], np.ndarray]

_REDUCTIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "sum": lambda scores, owned: scores.sum(axis=0),
    "mean": lambda scores, owned: scores.sum(axis=0) / np.maximum(owned.sum(axis=0), 1),
    "max": lambda scores, owned: scores.max(axis=0),
    "first": lambda scores, owned: scores[0],
}


def check_reduction(reduction: str) -> None:
    """Raises a `ConfigError` for a reduction that is not known."""
    if reduction not in _REDUCTIONS:
        raise ConfigError(unknown("reduction", str(reduction), _REDUCTIONS))


def kernels(group: ChannelGroup, consumers: bool) -> list[Member]:
    """The kernels that make a group's channels and, if asked for, those that read them."""
    read = group.by_role(Role.CONSUMER) if consumers else []
    return group.by_role(Role.PRODUCER) + read


def joined(
    group: ChannelGroup, members: list[Member], measure: Measure, reduction: str
) -> np.ndarray:
    """One score per channel from one per weight.

    Args:
        group: the group.
        members: the weights that are measured, at least one.
        measure: the scores of one weight, not negative, shape `(channels,)`.
        reduction: `"sum"`, `"mean"`, `"max"`, or `"first"`: the first weight alone. A weight of
            which a channel owns nothing does not count for that channel.
    """
    owned = np.stack([positions_owned(group, member) > 0 for member in members])
    scores = np.stack([measure(member) for member in members]).astype("float64")
    return _REDUCTIONS[reduction](np.where(owned, scores, 0), owned)
