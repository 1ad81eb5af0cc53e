"""When a group's search ends."""

import numpy as np
import pytest

from keras_prune.graph import ChannelGraph
from keras_prune.methods.filter_agent.config import FilterAgentConfig
from keras_prune.methods.filter_agent.search import GroupSearch
from tests.methods.filter_agent.small import residual_network


def steps_taken(monkeypatch, mean_rewards, **options):
    """How many steps a search takes whose steps have these mean rewards."""
    graph = ChannelGraph(residual_network(seed=0))
    images = np.zeros((4, 8, 8, 3), "float32")
    config = FilterAgentConfig(**{"patience": 3, "max_steps": 20} | options)
    search = GroupSearch(
        graph, graph.groups["hidden"], images, np.zeros(4), slack=0.0, config=config, seed=0
    )
    monkeypatch.setattr(search, "_step", lambda step: {"reward": mean_rewards[step - 1]})
    return len(list(search.run()))


@pytest.mark.parametrize(
    ("rewards", "steps"),
    [
        ([1.0] * 20, 4),  # nothing gets better after the first
        (list(range(20)), 20),  # it gets better all the time
        ([0, 1, 2, 3, *[0] * 16], 7),  # it stops getting better after the fourth
        ([-0.5, -0.4, -0.3, -0.2, *[-0.9] * 16], 7),  # negative rewards may improve too
    ],
)
def test_it_ends_once_the_mean_reward_improves_no_more(monkeypatch, rewards, steps):
    assert steps_taken(monkeypatch, rewards) == steps


def test_a_dip_within_the_patience_does_not_end_it(monkeypatch):
    assert steps_taken(monkeypatch, [1.0, 0.9, 0.9, 2.0, *[0.0] * 16]) == 7


def test_it_ends_at_the_last_step_allowed(monkeypatch):
    assert steps_taken(monkeypatch, list(range(20)), max_steps=5) == 5
