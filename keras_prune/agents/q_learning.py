"""Deep Q-learning from whole episodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from keras_prune.agents.replay import Replay

Policy = Callable[[int, tf.Tensor], tf.Tensor]
"""`(number of the step, its observations (episodes, ...)) -> actions (episodes,)`, int32 from 0.

It is asked for one step after the other, and remembers those before."""


class QNetwork(Protocol):
    """A Keras layer or model that says what actions are worth; built and with a `get_config`.

    Called with the observations of whole episodes, one array `(episodes, ...)` per step, it gives
    Q-values `(episodes, steps, actions)`.
    """

    actions: int

    def __call__(self, observations: Sequence[tf.Tensor]) -> tf.Tensor:
        """Q-values of whole episodes."""

    def start(self, batch: int | tf.Tensor) -> tf.Tensor:
        """What it remembers before the first step of so many episodes."""

    def step(self, number: int, state: tf.Tensor, memory: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Q-values `(episodes, actions)` of one step, and what it remembers after it."""


class QLearner:
    """Learns what actions are worth from episodes of a fixed number of steps.

    It takes the squared-near-0 Huber loss between `Q(s_t, a_t)` and

        y_t = r_t + gamma max_a Q'(s_t+1, a)        y_T = r_T

    down, where `Q'` is a copy of the network that follows it slowly: `w' <- w' + tau (w - w')`. The
    network reads a whole episode at once, so that it may be recurrent: its values at a step may
    depend on the observations up to it.

    Args:
        network: what says the Q-values; its weights change.
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
        network: Any,
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

    def ask(self, batch: int | tf.Tensor, epsilon: Any, seed: tf.Tensor) -> Policy:
        """How it plays: `epsilon_greedy` on its network."""
        return epsilon_greedy(self.network, batch, epsilon, seed)

    def tell(
        self,
        observations: Sequence[np.ndarray],
        actions: np.ndarray,
        rewards: np.ndarray,
        updates: int,
    ) -> float:
        """Remembers episodes, and learns from what it remembers.

        Args:
            observations: for each step `(episodes, ...)`.
            actions: int, `(episodes, steps)`.
            rewards: float32, `(episodes, steps)`.
            updates: steps of learning, each on episodes drawn from the memory.

        Returns:
            The mean loss of the steps.
        """
        self._memory.add(*observations, actions, rewards)
        losses = [float(self._update(*self._drawn())) for _ in range(updates)]
        return sum(losses) / len(losses)

    def state(self) -> dict[str, Any]:
        """All that changes: `variables`, a list of arrays, and `memory`, arrays and plain data."""
        values = [np.array(keras.ops.convert_to_numpy(each)) for each in self._changing]
        return {"variables": values, "memory": self._memory.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a state; what is learned next is what would have been learned."""
        for variable, value in zip(self._changing, state["variables"], strict=True):
            variable.assign(value)
        self._memory.restore(state["memory"])

    @property
    def _changing(self) -> list[keras.Variable]:
        return [*self.network.weights, *self._target.weights, *self._optimizer.variables]

    def _drawn(self) -> tuple[list[tf.Tensor], tf.Tensor, tf.Tensor]:
        *observations, actions, rewards = map(tf.constant, self._memory.draw(self._batch))
        return observations, actions, rewards

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


def greedy(network: QNetwork, batch: int | tf.Tensor, bonus: Any = 0.0) -> Policy:
    """Takes the action of the highest Q-value.

    Args:
        network: what to ask.
        batch: number of episodes.
        bonus: added to the Q-value once for action 1, twice for action 2 and so on, scalar.
    """
    memory = network.start(batch)
    extra = tf.cast(bonus, tf.float32) * tf.range(network.actions, dtype=tf.float32)

    def choose(step: int, observation: tf.Tensor) -> tf.Tensor:
        nonlocal memory
        values, memory = network.step(step, observation, memory)
        return tf.argmax(values + extra, axis=-1, output_type=tf.int32)

    return choose


def epsilon_greedy(
    network: QNetwork, batch: int | tf.Tensor, epsilon: Any, seed: tf.Tensor
) -> Policy:
    """Takes with probability epsilon, in each episode and step, any action; else the best one.

    Args:
        network: what to ask.
        batch: number of episodes.
        epsilon: scalar, in [0, 1].
        seed: `(2,)` int32; the same seed draws the same actions.
    """
    best = greedy(network, batch)

    def choose(step: int, observation: tf.Tensor) -> tf.Tensor:
        seeds = tf.random.split(tf.random.fold_in(seed, step), 2)
        shape = tf.shape(observation)[:1]
        drawn = tf.random.stateless_uniform(shape, seeds[0], 0, network.actions, tf.int32)
        explores = tf.random.stateless_uniform(shape, seeds[1]) < epsilon
        return tf.where(explores, drawn, best(step, observation))

    return choose
