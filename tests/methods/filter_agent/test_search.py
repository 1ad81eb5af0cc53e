"""The agent on one group: when its search ends, and which mask is the best."""

import numpy as np
import pytest

from keras_prune.graph import ChannelGraph
from keras_prune.methods.filter_agent.config import FilterAgentConfig
from keras_prune.methods.filter_agent.search import GroupSearch
from keras_prune.training.objective import Objective
from tests.methods.filter_agent.small import residual_network


class Counting:
    """A network's objective is a function of how many channels are kept."""

    def __init__(self, value):
        self._value = value

    def evaluate(self, masks):
        return np.array([self._value(int(mask.sum())) for mask in masks], "float64")


def search(value=float, objective="accuracy", slack=0.0, **options):
    group = ChannelGraph(residual_network(seed=0)).groups["hidden"]
    config = FilterAgentConfig(**{"patience": 3, "max_updates": 20} | options)
    return GroupSearch(
        group, Counting(value), Objective(objective), slack=slack, config=config, seed=0
    )


def updates_taken(monkeypatch, mean_rewards, **options):
    """How many updates a search takes whose updates have these mean rewards."""
    found = search(**options)
    monkeypatch.setattr(found, "_update", lambda number: {"reward": mean_rewards[number - 1]})
    return len(list(found.run()))


@pytest.mark.parametrize(
    ("rewards", "updates"),
    [
        ([1.0] * 20, 4),  # nothing gets better after the first
        (list(range(20)), 20),  # it gets better all the time
        ([0, 1, 2, 3, *[0] * 16], 7),  # it stops getting better after the fourth
        ([-0.5, -0.4, -0.3, -0.2, *[-0.9] * 16], 7),  # negative rewards may improve too
    ],
)
def test_it_ends_once_the_mean_reward_improves_no_more(monkeypatch, rewards, updates):
    assert updates_taken(monkeypatch, rewards) == updates


def test_a_dip_within_the_patience_does_not_end_it(monkeypatch):
    assert updates_taken(monkeypatch, [1.0, 0.9, 0.9, 2.0, *[0.0] * 16]) == 7


def test_it_ends_at_the_last_update_allowed(monkeypatch):
    assert updates_taken(monkeypatch, list(range(20)), max_updates=5) == 5


def best_kept(**options):
    found = search(**{"b": 1.0, "patience": 30, "max_updates": 30} | options)
    list(found.run())
    return found.choice.kept


def test_it_prunes_what_costs_nothing():
    assert best_kept(value=lambda kept: 90.0) < 4


@pytest.mark.parametrize(("objective", "sign"), [("accuracy", -1), ("mean_squared_error", 1)])
def test_it_does_not_prune_what_costs_more_than_b(objective, sign):
    def value(kept):
        return 50.0 + sign * 5.0 * (7 - kept)

    assert best_kept(value=value, objective=objective) == 7


@pytest.mark.slow
@pytest.mark.parametrize(("objective", "sign"), [("accuracy", -1), ("mean_squared_error", 1)])
def test_slack_may_be_spent(objective, sign):
    def value(kept):
        return 50.0 + sign * 0.9 * (7 - kept)

    assert best_kept(value=value, objective=objective, slack=6.0) < best_kept(
        value=value, objective=objective
    )


def test_a_value_that_is_no_number_is_the_worst():
    assert best_kept(value=lambda kept: 90.0 if kept >= 5 else float("nan")) == 5


def test_of_equal_masks_the_first_is_the_best():
    found = search(value=lambda kept: 90.0)
    masks = np.array([[0, 1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 1, 1, 1]], "float32")
    found._rewards(masks)
    np.testing.assert_array_equal(found.choice.mask, masks[0])
