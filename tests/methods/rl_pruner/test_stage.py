"""One stage on environments whose best distribution is known."""

import numpy as np
import pytest

from keras_prune.agents import DistributionAgent
from keras_prune.methods.rl_pruner.stage import StageSearch
from tests.methods.rl_pruner.test_environment import environment


class Fake:
    """The more the first group gives, the better; `depth` steps an episode."""

    def __init__(self, depth=1):
        self.depth, self.actions = depth, []

    def reset(self):
        self.taken = 0
        return np.zeros(1), {}

    def step(self, action):
        self.taken += 1
        self.actions.append(action)
        reward = 100 * action[0] / self.taken
        return np.zeros(1), reward, self.taken == self.depth, False, {}


def search(env, agent=None, **options):
    agent = agent or DistributionAgent(np.ones(4), seed=0)
    given = {"rounds": 2, "samples": 8, "discount": 0.5} | options
    return StageSearch(env, agent, **given), agent


def test_the_distribution_moves_to_what_pays():
    stage, agent = search(Fake(), rounds=6)
    rows = list(stage.run())
    assert agent.distribution[0] > 0.4
    assert stage.chosen.value == max(row["best_return"] for row in rows)
    assert stage.chosen.value > rows[0]["unmoved_return"] == pytest.approx(25)


def test_the_distribution_and_the_last_stages_best_compete_again():
    stage, agent = search(Fake(), rounds=1)
    list(stage.run())
    before, replay = agent.distribution, [tried.action for tried in agent.replay]
    env = Fake()
    [row] = search(env, agent, rounds=1)[0].run()
    np.testing.assert_array_equal(env.actions[:9], [before, *replay])
    assert row["samples"] == 8 + 9


def test_returns_are_discounted_means_over_the_depth():
    env = Fake(depth=2)
    rows = list(search(env, rounds=1, samples=1)[0].run())
    first, later = env.actions[:2]
    assert first[0] == pytest.approx(0.25)
    by_hand = (25 + 0.5 * 100 * later[0] / 2) / 1.5
    assert rows[0]["unmoved_return"] == pytest.approx(by_hand)


def test_every_sample_is_told():
    told = []
    stage, _ = search(Fake(), tried=told.append)
    list(stage.run())
    assert len(told) == 1 + 2 * 8


@pytest.mark.parametrize("wrap", [lambda env: env, lambda env: env.gymnasium()])
def test_the_agent_runs_on_either_environment(wrap):
    stage, _ = search(wrap(environment()), DistributionAgent(np.ones(2), seed=0))
    rows = list(stage.run())
    assert len(rows) == 2
    assert stage.chosen.value == pytest.approx((11 + 0.5 * 8) / 1.5)
