"""A distribution over groups and a budget make a plan."""

import warnings
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from keras_prune.budgets import Budget
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan

_LEAST = 1e-6  # a share of 0 would say that a group never loses a channel, whatever the budget


def share_out(
    budget: Budget,
    graph: ChannelGraph,
    scores: Mapping[str, np.ndarray],
    shares: np.ndarray,
    gone: Mapping[str, np.ndarray],
) -> PruningPlan:
    """The plan by which every group loses channels in proportion to its share.

    Of `n` channels in all, group `i` loses the `n · p_i` with the lowest scores, and `n` is the
    smallest number that meets the budget. So the channel of rank `r` in its group leaves when
    `n = (r + 1) / p_i`, and a budget that keeps the highest of these numbers takes just that way.

    Args:
        budget: what may stay.
        graph: the graph to prune.
        scores: of every channel, higher = keep.
        shares: what part of the channels that leave each group gives, from 0, shape `(groups,)`.
        gone: group -> True for channels that have left before; they stay away.
    """
    leaves = {
        name: _ranks(scores[name], gone[name]) / max(share, _LEAST)
        for name, share in zip(graph.groups, shares.tolist(), strict=True)
    }
    ordered = replace(budget, scope="global", normalize="none", flops_weight=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a sample that misses the budget is a sample
        return ordered.allocate(graph, leaves)


def _ranks(scores: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """1 for the first channel to leave, and so on; 0 for those that have left."""
    order = np.argsort(np.where(gone, -np.inf, scores), kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(len(scores)) - gone.sum() + 1
    return np.maximum(ranks, 0)
