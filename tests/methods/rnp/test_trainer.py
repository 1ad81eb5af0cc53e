"""The agent on a frozen backbone."""

import numpy as np
import pytest

from keras_prune.methods.rnp import DecisionNetwork, RNPConfig
from keras_prune.methods.rnp.costs import Costs
from keras_prune.methods.rnp.episodes import validation_episodes
from keras_prune.methods.rnp.evaluator import DecisionEvaluator
from keras_prune.methods.rnp.trainer import AgentTrainer
from keras_prune.training import TrainingConfig, fit

from .runs import context, decided, digits, network


def trainer(model, **config):
    run, decisions, agent = context(model), decided(model), DecisionNetwork([8], 2)
    episodes = validation_episodes(run, decisions, agent, np.random.default_rng(5))
    settings = RNPConfig(**{"sets": 2, "updates": 2} | config)
    return AgentTrainer(agent, episodes, Costs(decisions, agent.macs), settings, 5), decisions


@pytest.mark.slow
@pytest.mark.parametrize(("price", "taken"), [(-10.0, 0), (-1e-3, 1)])
def test_the_agent_learns_what_pays(price, taken):
    """A network that was trained at full width alone is bad at any other."""
    model, splits = network(), digits()
    fit(model, splits, TrainingConfig(epochs=5, learning_rate=0.05), seed=0)
    made, decisions = trainer(model, price=price, episodes=40, learning_rate=3e-3, alpha=1.0)
    alpha = made.prepare(adapt=True)
    assert alpha == 1.0
    rows = list(made.run(alpha))
    assert len(rows) == 40
    found = DecisionEvaluator(decisions, made.network).greedy(*splits.validation_arrays())
    assert np.mean(found.actions == taken) > 0.9


def test_alpha_makes_the_loss_1_on_average():
    made, _ = trainer(network())
    alpha = made.prepare(adapt=False)
    played = [made.episodes.play(1.0).losses.mean() for _ in range(20)]
    assert alpha * np.mean(played) == pytest.approx(1, abs=0.15)


def test_states_are_scaled_where_asked_for():
    made, _ = trainer(network())
    before = made.network.means[0].numpy()
    made.prepare(adapt=False)
    np.testing.assert_array_equal(made.network.means[0], before)
    made.prepare(adapt=True)
    assert not np.array_equal(made.network.means[0], before)
