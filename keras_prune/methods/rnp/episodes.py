"""Playing a batch of episodes: each image is one, from its pixels to its class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from keras_prune.agents.q_learning import epsilon_greedy
from keras_prune.methods.context import Context
from keras_prune.methods.rnp.decisions import Decisions
from keras_prune.methods.rnp.execution import Masked
from keras_prune.methods.rnp.network import DecisionNetwork
from keras_prune.training import computing_in
from keras_prune.training.class_loss import cross_entropy


@dataclass(frozen=True)
class Played:
    """Episodes that were played.

    Args:
        states: for each decision what it was made on, `(episodes, channels)`.
        actions: int32 `(episodes, decisions)`.
        losses: classification losses at the end, `(episodes,)`.
    """

    states: list[np.ndarray]
    actions: np.ndarray
    losses: np.ndarray

    def rewards(self, price: float, alpha: float) -> np.ndarray:
        """`(i - 1) p` for each action that computes `i` sets, and at the end `-alpha loss`, too.

        Returns:
            float32 `(episodes, decisions)`.
        """
        rewards = price * self.actions.astype("float32")
        rewards[:, -1] -= alpha * self.losses
        return rewards


class Episodes:
    """Plays episodes on given images with a backbone that is not changed.

    Args:
        decisions: what is decided.
        network: what decides.
        images: float32 `(images, height, width, channels)`.
        labels: int `(images,)` or `(images, 1)`.
        batch_size: episodes played at once.
        precision: `"float32"` or `"mixed_bfloat16"`.
        random: draws images and the seeds of random actions.
    """

    def __init__(
        self,
        decisions: Decisions,
        network: DecisionNetwork,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        batch_size: int,
        precision: str,
        random: np.random.Generator,
    ) -> None:
        model = decisions.graph.model
        self._execution = Masked(decisions)
        self._network = network
        self._images, self._labels = tf.constant(images), tf.constant(labels)
        self._loss = cross_entropy(model)
        self._random = random
        self._batch = min(batch_size, len(images))
        with computing_in(precision, model):
            self._play = tf.function(self._played, autograph=False).get_concrete_function(
                tf.TensorSpec((self._batch,), tf.int32),
                tf.TensorSpec((), tf.float32),
                tf.TensorSpec((2,), tf.int32),
            )

    def play(self, epsilon: float) -> Played:
        """Plays a batch on images drawn at random, each action random with probability epsilon."""
        rows = self._random.choice(len(self._images), self._batch, replace=False)
        seed = self._random.integers(2**31, size=2)
        states, actions, losses = self._play(
            tf.constant(rows, tf.int32),
            tf.constant(epsilon, tf.float32),
            tf.constant(seed, tf.int32),
        )
        return Played([state.numpy() for state in states], actions.numpy(), losses.numpy())

    def _played(self, rows: tf.Tensor, epsilon: tf.Tensor, seed: tf.Tensor) -> Any:
        choose = epsilon_greedy(self._network, self._batch, epsilon, seed)
        trajectory = self._execution(tf.gather(self._images, rows), choose)
        losses = self._loss(tf.gather(self._labels, rows), trajectory.outputs)
        return trajectory.states, tf.stack(trajectory.actions, axis=1), losses


def validation_episodes(
    context: Context, decisions: Decisions, network: DecisionNetwork, random: np.random.Generator
) -> Episodes:
    """Episodes on the validation examples of a run, as many at once as a batch of them has.

    The losses on training examples would be those of a network that has seen them.
    """
    images, labels, _ = context.task.examples("validation")
    [first] = context.task.split("validation").take(1)
    return Episodes(
        decisions,
        network,
        images,
        labels,
        batch_size=len(first[1]),
        precision=context.precision,
        random=random,
    )


def generator(state: Mapping[str, Any]) -> np.random.Generator:
    """The stream of random numbers that `Generator.bit_generator.state` described."""
    found = np.random.default_rng()
    found.bit_generator.state = state
    return found
