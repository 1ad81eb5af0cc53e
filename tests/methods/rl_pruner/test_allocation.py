"""Distributions as plans, by hand."""

import numpy as np
import pytest

from keras_prune.budgets import Budget
from keras_prune.methods.rl_pruner.allocation import share_out
from keras_prune.profiling import profile
from keras_prune.surgery import prune
from tests.budgets.networks import dense_graph, random_scores, residual_graph

SCORES = {"a": np.arange(8.0), "b": np.arange(8.0)[::-1]}


def nothing(graph):
    return {name: np.zeros(group.channels, bool) for name, group in graph.groups.items()}


@pytest.mark.parametrize(
    ("shares", "left"), [([0.5, 0.5], (4, 4)), ([0.75, 0.25], (2, 6)), ([0.0, 1.0], (7, 1))]
)
def test_groups_lose_in_proportion_to_their_shares(shares, left):
    graph = dense_graph(a=8, b=8)
    plan = share_out(Budget(ratio=0.5), graph, SCORES, np.array(shares), nothing(graph))
    assert (len(plan.kept["a"]), len(plan.kept["b"])) == left


def test_the_lowest_scores_of_a_group_leave():
    graph = dense_graph(a=8, b=8)
    plan = share_out(Budget(ratio=0.5), graph, SCORES, np.ones(2), nothing(graph))
    assert plan.kept == {"a": (4, 5, 6, 7), "b": (0, 1, 2, 3)}


def test_what_is_gone_stays_away_and_does_not_count():
    graph = dense_graph(a=8, b=8)
    gone = nothing(graph)
    gone["a"][[6, 7]] = True  # the best of all
    plan = share_out(Budget(ratio=0.5), graph, SCORES, np.ones(2), gone)
    assert plan.kept == {"a": (3, 4, 5), "b": (0, 1, 2, 3, 4)}


@pytest.mark.parametrize("budget", [Budget(macs=0.4), Budget(params=0.3), Budget(ratio=0.6)])
@pytest.mark.parametrize("seed", range(3))
def test_the_budget_is_met_whatever_the_distribution(budget, seed):
    graph = residual_graph()
    shares = np.random.default_rng(seed).gamma(0.5, size=2)
    plan = share_out(budget, graph, random_scores(graph, seed), shares, nothing(graph))
    before, after = profile(graph.model).total, profile(prune(graph.model, plan)).total
    left = {
        "macs": after.macs / before.macs,
        "params": after.parameters / before.parameters,
        "ratio": sum(map(len, plan.kept.values())) / 64,
    }
    assert 0.9 * budget.kept <= left[budget.kind] <= budget.kept
