"""REINFORCE on environments whose best action is known."""

import keras
import numpy as np
import pytest

from keras_prune.agents import BernoulliAgent


def agent(state, **options):
    network = keras.Sequential([keras.Input(state.shape[1:]), keras.layers.Dense(1)])
    return BernoulliAgent(network, state, **{"samples": 5, "seed": 0} | options)


def learn(learner, reward, steps):
    for _ in range(steps):
        sample = learner.ask()
        learner.tell(sample, np.array([reward(action) for action in sample.actions]))


def test_finds_which_bits_pay():
    keras.utils.set_random_seed(0)
    state = np.array([[1.0], [-1.0]] * 8, "float32")
    pays = state[:, 0]
    learner = agent(state, learning_rate=0.1)
    learn(learner, lambda action: float(action @ pays), steps=100)
    assert learner.mode().tolist() == (pays > 0).astype(float).tolist()


@pytest.mark.parametrize("wanted", [0.2, 0.6])
def test_finds_how_many_bits_pay(wanted):
    keras.utils.set_random_seed(0)
    state = np.random.default_rng(0).normal(size=(200, 3)).astype("float32")
    learner = agent(state)
    learn(learner, lambda action: -abs(float(action.mean()) - wanted), steps=80)
    assert abs(np.mean([a.mean() for a in learner.ask().actions]) - wanted) < 0.12


def test_equal_rewards_teach_nothing():
    keras.utils.set_random_seed(0)
    learner = agent(np.ones((6, 2), "float32"))
    before = learner.log_odds()
    learn(learner, lambda action: 3.0, steps=3)
    np.testing.assert_array_equal(learner.log_odds(), before)


def test_no_action_is_ever_empty():
    learner = agent(np.ones((4, 2), "float32"), start=1e-6, samples=50)
    assert learner.ask().actions.sum(axis=1).min() == 1
    assert learner.mode().sum() == 1


def test_the_start_is_the_share_of_ones():
    state = np.zeros((500, 2), "float32")
    actions = agent(state, start=0.8, spread=1e-3, samples=20).ask().actions
    assert abs(actions.mean() - 0.8) < 0.02


def test_one_seed_draws_the_same_actions():
    state = np.random.default_rng(1).normal(size=(30, 2)).astype("float32")

    def actions(seed):
        keras.utils.set_random_seed(0)
        learner = agent(state, seed=seed)
        learn(learner, lambda action: float(action[:10].sum()), steps=3)
        return learner.ask().actions

    np.testing.assert_array_equal(actions(1), actions(1))
    assert (actions(1) != actions(2)).any()


def test_learning_traces_once():
    learner = agent(np.ones((6, 2), "float32"))
    learn(learner, lambda action: float(action.sum()), steps=4)
    assert learner._update.experimental_get_tracing_count() == 1


def test_a_restored_agent_draws_and_learns_what_it_would_have():
    state = np.random.default_rng(1).normal(size=(30, 2)).astype("float32")

    def reward(action):
        return float(action[:10].sum())

    keras.utils.set_random_seed(0)
    unbroken = agent(state)
    learn(unbroken, reward, steps=2)
    kept = unbroken.state()
    learn(unbroken, reward, steps=2)
    resumed = agent(state, seed=5)
    resumed.restore(kept)
    learn(resumed, reward, steps=2)
    np.testing.assert_array_equal(resumed.log_odds(), unbroken.log_odds())
    np.testing.assert_array_equal(resumed.ask().actions, unbroken.ask().actions)


def test_a_state_is_not_changed_by_what_follows():
    learner = agent(np.eye(6, dtype="float32"))
    kept = learner.state()
    before = [value.copy() for value in kept["variables"]]
    learn(learner, lambda action: float(action[:3].sum()), steps=2)
    for then, now in zip(before, kept["variables"], strict=True):
        np.testing.assert_array_equal(then, now)
