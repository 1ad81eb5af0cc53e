"""Q-learning on an environment whose optimum is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_prune.agents import QLearner
from keras_prune.agents.q_learning import epsilon_greedy, greedy

STEPS, ACTIONS, PRICE = 2, 3, -0.1


@keras.saving.register_keras_serializable("keras_prune_tests")
class Recurrent(keras.Layer):
    """Q-values of a step from the observations up to it."""

    actions = ACTIONS

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.cell = keras.layers.SimpleRNNCell(32)
        self.head = keras.layers.Dense(ACTIONS)
        self([tf.zeros((1, 2))] * STEPS)

    def start(self, batch):
        return tf.zeros((batch, 32))

    def step(self, number, observation, memory):
        output, [memory] = self.cell(observation, [memory])
        return self.head(output), memory

    def call(self, observations):
        memory, values = self.start(tf.shape(observations[0])[0]), []
        for number, observation in enumerate(observations):
            value, memory = self.step(number, observation, memory)
            values.append(value)
        return tf.stack(values, axis=1)


class Rooms:
    """An image is easy or hard, which only the first observation tells. Every set costs `PRICE`.

    A hard image that is not given all sets in the last step costs 1 in the end; an easy one never.
    The best is 0 everywhere, but 2 in the last step for hard images.
    """

    def __init__(self, seed):
        self._random = np.random.default_rng(seed)

    def play(self, count, choose):
        hard = self._random.random(count) < 0.5
        first = np.stack([hard, ~hard], axis=1).astype("float32")
        observations = [first, np.zeros((count, 2), "float32")]
        actions = choose(observations)
        rewards = (PRICE * actions).astype("float32")
        rewards[:, -1] -= hard & (actions[:, -1] < ACTIONS - 1)
        return observations, actions, rewards, hard


def learned(gamma=0.999, updates=600):
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(1)
    environment = Rooms(0)
    learner = QLearner(
        Recurrent(), seed=0, learning_rate=3e-3, gamma=gamma, tau=0.05, batch_size=64
    )

    def anything(observations):
        return random.integers(ACTIONS, size=(len(observations[0]), STEPS))

    for _ in range(updates):
        loss = learner.tell(*environment.play(16, anything)[:3], updates=1)
    return learner, environment, loss


@pytest.fixture(scope="module")
def trained():
    return learned()


def asked(learner, observations, epsilon=0.0):
    policy = learner.ask(len(observations[0]), epsilon, tf.constant([1, 2]))
    return np.stack([policy(n, seen).numpy() for n, seen in enumerate(observations)], axis=1)


def values_of(learner, observations):
    return learner.network(list(map(tf.constant, observations))).numpy()


def test_it_finds_the_optimum(trained):
    learner, environment, loss = trained
    _, best, _, hard = environment.play(64, lambda seen: asked(learner, seen))
    assert loss < 0.01
    assert 0 < hard.sum() < 64
    np.testing.assert_array_equal(best, np.stack([0 * hard, 2 * hard], axis=1))


def test_values_hold_the_next_steps_worth(trained):
    learner, environment, _ = trained
    observations, *_, hard = environment.play(64, lambda seen: np.zeros((64, STEPS), int))
    first = values_of(learner, observations)[:, 0, 0]
    np.testing.assert_allclose(first[hard], 2 * PRICE, atol=0.06)
    np.testing.assert_allclose(first[~hard], 0, atol=0.06)


def test_without_a_future_only_the_price_counts():
    learner, environment, _ = learned(gamma=0.0, updates=300)
    observations, *_ = environment.play(16, lambda seen: np.zeros((16, STEPS), int))
    first = values_of(learner, observations)[:, 0]
    np.testing.assert_allclose(first, np.tile(PRICE * np.arange(3), (16, 1)), atol=0.06)


def test_it_goes_on_as_if_nothing_had_happened():
    environment, random = Rooms(3), np.random.default_rng(0)
    episodes = [
        environment.play(8, lambda seen: random.integers(ACTIONS, size=(8, STEPS)))[:3]
        for _ in range(6)
    ]
    keras.utils.set_random_seed(0)
    learner = QLearner(Recurrent(), seed=0, batch_size=16, capacity=30)
    for each in episodes[:4]:
        learner.tell(*each, updates=2)
    state = learner.state()
    expected = [learner.tell(*each, updates=2) for each in episodes[4:]]
    again = QLearner(Recurrent(), seed=9, batch_size=16, capacity=30)
    again.restore(state)
    assert [again.tell(*each, updates=2) for each in episodes[4:]] == expected
    np.testing.assert_array_equal(again.network.get_weights()[0], learner.network.get_weights()[0])


def test_exploring_takes_any_action_as_often_as_asked():
    keras.utils.set_random_seed(0)
    network, seen, seed = Recurrent(), tf.ones((4000, 2)), tf.constant([1, 2])
    best = int(greedy(network, 4000)(0, seen)[0])
    assert set(epsilon_greedy(network, 4000, 0.0, seed)(0, seen).numpy()) == {best}
    half = epsilon_greedy(network, 4000, 0.5, seed)
    shares = np.bincount(half(0, seen), minlength=ACTIONS) / 4000
    expected = np.full(ACTIONS, 0.5 / ACTIONS) + 0.5 * (np.arange(ACTIONS) == best)
    np.testing.assert_allclose(shares, expected, atol=0.03)
    again = epsilon_greedy(network, 4000, 1.0, seed)
    assert not np.array_equal(again(0, seen), again(1, seen))  # each step draws anew


def test_a_bonus_leads_to_higher_actions():
    keras.utils.set_random_seed(0)
    network, seen = Recurrent(), tf.random.stateless_normal((200, 2), [1, 2])
    means = [np.mean(greedy(network, 200, bonus)(0, seen)) for bonus in (-1e6, 0.0, 1e6)]
    assert means == sorted(means) and (means[0], means[-1]) == (0, ACTIONS - 1)
