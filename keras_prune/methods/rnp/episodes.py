"""Playing a batch of episodes: each image is one, from its pixels to its class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from keras_prune.methods.rnp.decisions import Decisions
from keras_prune.methods.rnp.network import DecisionNetwork, exploring, greedy
from keras_prune.methods.rnp.walk import Masked
from keras_prune.training import computing_in
from keras_prune.training.classifier import cross_entropy


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
        labels: int `(images,)`.
        batch_size: episodes played at once.
        precision: `"float32"` or `"mixed_bfloat16"`.
        seed: draws images and random actions.
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
        seed: int,
    ) -> None:
        model = decisions.graph.model
        self._walk = Masked(decisions)
        self._network = network
        self._images, self._labels = tf.constant(images), tf.constant(labels)
        self._loss = cross_entropy(model)
        self._random = np.random.default_rng(seed)
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
        sets = self._walk.decisions.sets
        choose = exploring(greedy(self._network, self._batch), sets, epsilon, seed)
        passage = self._walk(tf.gather(self._images, rows), choose)
        losses = self._loss(tf.gather(self._labels, rows), passage.outputs)
        return passage.states, tf.stack(passage.actions, axis=1), losses
