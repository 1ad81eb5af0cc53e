"""The search over distributions, on returns whose best distribution is known."""

import json

import numpy as np
import pytest

from keras_prune.agents import DistributionAgent, Tried

TARGET = np.array([0.4, 0.3, 0.1, 0.1, 0.05, 0.05])


def agent(**options):
    return DistributionAgent(np.ones(6), **{"seed": 0} | options)


def value(action):
    return -float(np.abs(action - TARGET).sum())


def learn(learner, updates, samples=16):
    for _ in range(updates):
        actions = learner.ask(samples)
        learner.tell(actions, np.array([value(action) for action in actions]))


def test_moves_to_the_best_distribution():
    learner = agent(noise=0.3)
    start = value(learner.distribution)
    learn(learner, 40)
    assert value(learner.distribution) > 0.2 * start


def test_every_sample_is_a_distribution_above_the_floor():
    for learner in (agent(floor=0.3, noise=3.0), agent(floor=0.0, noise=3.0)):
        samples = learner.sample(200)
        np.testing.assert_allclose(samples.sum(axis=1), 1)
        assert samples.min() >= learner.proper(np.eye(6)).min() - 1e-12
    assert agent(floor=0.3).sample(1).shape == (1, 6)


def test_a_distribution_above_the_floor_is_proper_already():
    learner = agent(floor=0.2)
    proper = learner.proper(TARGET)
    np.testing.assert_allclose(learner.proper(proper), proper)
    np.testing.assert_allclose(learner.proper(np.zeros(6)), np.full(6, 1 / 6))


def test_a_step_is_as_long_as_it_says_and_clipped():
    learner = agent(floor=0.0, step=0.5, clip=1.0)
    learner.learn(TARGET)
    np.testing.assert_allclose(learner.distribution, (TARGET + 1 / 6) / 2)
    clipped = agent(floor=0.0, step=1.0, clip=0.1)
    clipped.learn(np.array([1.0, 0, 0, 0, 0, 0]))
    ratio = clipped.distribution * 6
    assert ratio[0] / ratio[1] == pytest.approx(1.1 / 0.9)


def test_the_replay_keeps_the_best():
    learner = agent(replay=2)
    for number in (3.0, 1.0, 5.0, 4.0):
        learner.remember([Tried(TARGET, number)])
    assert [tried.value for tried in learner.replay] == [5.0, 4.0]
    assert len(learner.forget()) == 2
    assert learner.replay == []


def test_epsilon_chooses_at_random_and_decays():
    greedy, bold = agent(), agent(epsilon=1.0, decay=0.5)
    for learner in (greedy, bold):
        learner.remember(Tried(TARGET, float(n)) for n in range(8))
    assert {greedy.choose().value for _ in range(20)} == {7.0}
    assert bold.choose().value in range(8)
    assert bold.epsilon == 0.5
    bold.epsilon = 1.0
    assert len({_chosen(bold) for _ in range(40)}) > 4


def _chosen(learner):
    learner.epsilon = 1.0
    return learner.choose().value


def test_it_moves_to_the_best_it_was_told_of():
    learner = agent(step=1.0, clip=1.0, floor=0.0)
    actions = learner.ask(5)
    chosen = learner.tell(actions, np.array([1.0, 2.0, 9.0, 3.0, 4.0]))
    assert chosen.value == 9.0 and learner.chosen is chosen
    np.testing.assert_array_equal(chosen.action, actions[2])
    np.testing.assert_allclose(learner.distribution, actions[2])


def test_with_another_network_what_was_best_is_asked_for_once_more():
    learner = agent(replay=2)
    learn(learner, 2)
    best, before = [tried.action for tried in learner.replay], learner.distribution
    learner.begin()
    assert learner.replay == []
    np.testing.assert_array_equal(learner.ask(3)[:3], [before, *best])
    assert learner.ask(3).shape == (3, 6)


def test_between_begin_and_ask_it_can_be_restored():
    whole, again = agent(replay=2), agent(seed=9)
    learn(whole, 2)
    whole.begin()
    again.restore(json.loads(json.dumps(whole.state())))
    np.testing.assert_array_equal(again.ask(3), whole.ask(3))


def test_the_callers_stream_leaves_its_own_alone():
    one, other = agent(), agent()
    drawn = one.noisy(np.random.default_rng(3))
    np.testing.assert_array_equal(drawn, other.noisy(np.random.default_rng(3)))
    assert drawn.shape == (6,) and drawn.sum() == pytest.approx(1)
    np.testing.assert_array_equal(one.ask(2), agent().ask(2))


def test_a_restored_agent_draws_what_would_have_been_drawn():
    whole = agent(epsilon=0.5)
    learn(whole, 3)
    again = agent(seed=9)
    again.restore(json.loads(json.dumps(whole.state())))
    learn(whole, 3)
    learn(again, 3)
    np.testing.assert_array_equal(again.distribution, whole.distribution)
    np.testing.assert_array_equal(again.sample(2), whole.sample(2))


def test_one_seed_draws_the_same_samples():
    np.testing.assert_array_equal(agent(seed=4).sample(3), agent(seed=4).sample(3))
    assert not np.array_equal(agent(seed=4).sample(3), agent(seed=5).sample(3))
