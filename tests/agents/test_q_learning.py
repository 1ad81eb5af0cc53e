"""Q-learning on an environment whose optimum is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_prune.agents import QLearner

STEPS, ACTIONS, PRICE = 2, 3, -0.1


@keras.saving.register_keras_serializable("keras_prune_tests")
class Recurrent(keras.Layer):
    """Q-values of a step from the observations up to it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.cell = keras.layers.SimpleRNN(32, return_sequences=True)
        self.head = keras.layers.Dense(ACTIONS)
        self(tf.zeros((STEPS, 1, 2)))

    def call(self, observations):
        return self.head(self.cell(tf.stack(tf.unstack(observations, num=STEPS), axis=1)))


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
        learner.remember(*environment.play(16, anything)[:3])
        loss = learner.learn()
    return learner, environment, loss


@pytest.fixture(scope="module")
def trained():
    return learned()


def values_of(learner, observations):
    return learner.network(list(map(tf.constant, observations))).numpy()


def test_it_finds_the_optimum(trained):
    learner, environment, loss = trained
    _, best, _, hard = environment.play(64, lambda seen: values_of(learner, seen).argmax(axis=-1))
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
