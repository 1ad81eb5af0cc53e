"""Deep Q-learning from whole episodes."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_prune.agents.replay import Replay


class QLearner:
    """Learns what actions are worth from episodes of a fixed number of steps.

    It takes the squared-near-0 Huber loss between `Q(s_t, a_t)` and

        y_t = r_t + gamma max_a Q'(s_t+1, a)        y_T = r_T

    down, where `Q'` is a copy of the network that follows it slowly: `w' <- w' + tau (w - w')`. The
    network reads a whole episode at once, so that it may be recurrent: its values at a step may
    depend on the observations up to it.

    Args:
        network: a Keras layer or model from observations, one array `(episodes, ...)` per step, to
            Q-values `(episodes, steps, actions)`; built and with a `get_config`.
        seed: the same seed draws the same episodes from the memory.
        learning_rate: of AdamW.
        gamma: discount of the next step's value.
        tau: how far the copy follows in one step.
        batch_size: episodes of one step of learning.
        capacity: episodes the memory keeps.

    Reference: Mnih et al., "Human-level control through deep reinforcement learning", Nature 2015;
    Lin et al., "Runtime Neural Pruning", NeurIPS 2017, section 3.2.
    """

    def __init__(
        self,
        network: keras.Layer,
        *,
        seed: int,
        learning_rate: float = 1e-3,
        gamma: float = 0.999,
        tau: float = 0.005,
        batch_size: int = 256,
        capacity: int = 20_000,
    ) -> None:
        self.network = network
        self._target = type(network).from_config(network.get_config())
        self._target.set_weights(network.get_weights())
        self._gamma, self._tau, self._batch = gamma, tau, batch_size
        self._memory = Replay(capacity, seed)
        self._optimizer = keras.optimizers.AdamW(learning_rate, clipnorm=1.0)
        self._optimizer.build(network.trainable_variables)
        self._huber = keras.losses.Huber()
        self._update = tf.function(self._step, autograph=False)

    def remember(
        self, observations: Sequence[np.ndarray], actions: np.ndarray, rewards: np.ndarray
    ) -> None:
        """Adds episodes to the memory.

        Args:
            observations: for each step `(episodes, ...)`.
            actions: int, `(episodes, steps)`.
            rewards: float32, `(episodes, steps)`.
        """
        self._memory.add(*observations, actions, rewards)

    def learn(self) -> float:
        """One step on episodes drawn from the memory; returns its loss."""
        *observations, actions, rewards = map(tf.constant, self._memory.draw(self._batch))
        return float(self._update(observations, actions, rewards))

    def _step(self, observations: list[tf.Tensor], actions: tf.Tensor, rewards: tf.Tensor) -> Any:
        later = tf.reduce_max(self._target(observations), axis=-1)[:, 1:]
        targets = rewards + self._gamma * tf.pad(later, ((0, 0), (0, 1)))
        with tf.GradientTape() as tape:
            values = tf.gather(self.network(observations), actions, batch_dims=2)
            loss = self._huber(targets, values)
        variables = self.network.trainable_variables
        self._optimizer.apply(tape.gradient(loss, [v.value for v in variables]))
        for slow, fast in zip(self._target.trainable_variables, variables, strict=True):
            slow.assign(slow + self._tau * (fast - slow))
        return loss
