"""Scores made fit for one ranking over all groups."""

from collections.abc import Callable, Collection, Mapping

import numpy as np

from keras_prune.errors import ConfigError, PlanError, unknown
from keras_prune.graph import ChannelGraph
from keras_prune.graph.costs import channel_macs

Scores = Mapping[str, np.ndarray]
"""Group name -> one score per channel, shape `(channels,)`; the higher, the rather it stays."""

_NORMS: dict[str, Callable[[np.ndarray], np.floating]] = {
    "l2": lambda scores: np.sqrt((scores**2).sum()),
    "mean": lambda scores: np.abs(scores).mean(),
    "max": lambda scores: np.abs(scores).max(),
    "none": lambda scores: np.float64(1),
}


def check_normalize(name: str) -> None:
    """Raises a `ConfigError` if no normalisation has that name."""
    if name not in _NORMS:
        raise ConfigError(unknown("normalisation", str(name), _NORMS))


def checked(graph: ChannelGraph, scores: Scores, excluded: Collection[str]) -> Scores:
    """Scores of all groups as float64; groups that stay whole need none.

    Raises:
        PlanError: scores are missing, of the wrong length or not finite, or their group is unknown.
    """
    for name in scores:
        if name not in graph.groups:
            raise PlanError(unknown("group in the scores", name, graph.groups))
    for name in graph.groups:
        if name not in scores and name not in excluded:
            raise PlanError(
                f"Group {name!r} has no scores. Score every group, or exclude it from the budget."
            )
    return {
        name: _finite(name, scores[name], group.channels)
        if name in scores
        else np.zeros(group.channels)
        for name, group in graph.groups.items()
    }


def _finite(name: str, values: np.ndarray, channels: int) -> np.ndarray:
    if np.shape(values) != (channels,):
        raise PlanError(
            f"Group {name!r}: expected {channels} scores, shape ({channels},). "
            f"Received: shape {np.shape(values)}."
        )
    scores = np.asarray(values, float)
    if not np.isfinite(scores).all():
        raise PlanError(
            f"Group {name!r}: expected finite scores. Received: {scores[~np.isfinite(scores)][0]} "
            f"for channel {np.flatnonzero(~np.isfinite(scores))[0]}."
        )
    return scores


def normalized(scores: Scores, norm: str) -> Scores:
    """The scores of each group over their norm; scores that are all zero stay zero.

    Example:

    >>> normalized({"conv": np.array([3.0, 4.0])}, "l2")
    {'conv': array([0.6, 0.8])}
    """
    return {name: values / (_NORMS[norm](values) or 1) for name, values in scores.items()}


def regularized(graph: ChannelGraph, scores: Scores, weight: float) -> Scores:
    """`score - weight · share`, the share that of a channel's MACs to those of the dearest one.

    Raises:
        ConfigError: the MACs of a channel are unknown.
    """
    if not weight:
        return scores
    macs = channel_macs(graph)
    known = {name: work for name, work in macs.items() if work is not None}
    if unknown_groups := macs.keys() - known:
        raise ConfigError(
            f"flops_weight: the MACs of group {min(unknown_groups)!r} cannot be counted. "
            "Use flops_weight=0."
        )
    dearest = max(int(work.max()) for work in known.values()) or 1
    return {name: values - weight * known[name] / dearest for name, values in scores.items()}
