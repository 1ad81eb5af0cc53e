"""Scores of a group's several weights joined into one."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_prune.errors import ConfigError, unknown
from keras_prune.graph import ChannelGroup, Member, Role
from keras_prune.graph.slices import positions_owned

Measure = Callable[[Member], np.ndarray]

_REDUCTIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "sum": lambda scores, owned: scores.sum(axis=0),
    "mean": lambda scores, owned: scores.sum(axis=0) / np.maximum(owned.sum(axis=0), 1),
    "max": lambda scores, owned: scores.max(axis=0),
    "prod": lambda scores, owned: np.where(owned, scores, 1).prod(axis=0),
    "first": lambda scores, owned: scores[0],
}


def check_reduction(reduction: str, affine: bool = False) -> None:
    """Raises a `ConfigError` for a reduction that is not known, or makes zeros of all scores."""
    if reduction not in _REDUCTIONS:
        raise ConfigError(unknown("reduction", str(reduction), _REDUCTIONS))
    if reduction == "prod" and affine:
        raise ConfigError(
            "reduction='prod' and affine=True do not go together: one bias of zero would make the "
            "score of its channel zero. Leave one out."
        )


def counted(group: ChannelGroup, consumers: bool, affine: bool) -> list[Member]:
    """The weights of a group that count: kernels that make its channels, first of all.

    Args:
        group: the group.
        consumers: whether the kernels that read the channels count.
        affine: whether all else that is trained of a channel counts.
    """
    read = group.by_role(Role.CONSUMER) if consumers else []
    carried = filter(_is_learned, group.by_role(Role.CHANNELWISE)) if affine else []
    return [*group.by_role(Role.PRODUCER), *read, *carried]


def _is_learned(member: Member) -> bool:
    """Whether a weight is none of the statistics that a BatchNorm keeps."""
    layer: Any = member.binding.layer
    kept = [getattr(layer, name, None) for name in ("moving_mean", "moving_variance")]
    return not any(member.binding.variable is each for each in kept)


def joined(
    group: ChannelGroup, members: list[Member], measure: Measure, reduction: str
) -> np.ndarray:
    """One score per channel from one per weight.

    Args:
        group: the group.
        members: the weights that are measured, at least one.
        measure: the scores of one weight, not negative, shape `(channels,)`.
        reduction: `"sum"`, `"mean"`, `"max"`, `"prod"`, or `"first"`: the first weight
            alone. A weight of which a channel owns nothing does not count for that channel.
    """
    owned = np.stack([positions_owned(group, member) > 0 for member in members])
    scores = np.stack([measure(member) for member in members]).astype("float64")
    return _REDUCTIONS[reduction](np.where(owned, scores, 0), owned)
