"""What a network decides about each image, and how well it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from keras_prune.methods.rnp.decisions import Decisions
from keras_prune.methods.rnp.network import DecisionNetwork, greedy
from keras_prune.methods.rnp.walk import Masked
from keras_prune.training.classifier import cross_entropy

_BATCH = 250


@dataclass(frozen=True)
class Judged:
    """What became of some images.

    Args:
        right: whether the answer was right, bool `(images,)`.
        losses: cross-entropies, `(images,)`.
        actions: int32 from 0, `(images, decisions)`.
    """

    right: np.ndarray
    losses: np.ndarray
    actions: np.ndarray

    @property
    def accuracy(self) -> float:
        """Right answers in percent."""
        return 100 * float(self.right.mean())


class Judge:
    """Runs images under actions; compiled once.

    Args:
        decisions: what is decided.
        network: what decides.
    """

    def __init__(self, decisions: Decisions, network: DecisionNetwork) -> None:
        self._walk = Masked(decisions)
        self._network = network
        self._loss = cross_entropy(decisions.graph.model)
        self._decide = tf.function(self._decided, autograph=False, reduce_retracing=True)
        self._obey = tf.function(self._obeyed, autograph=False, reduce_retracing=True)

    def greedy(self, images: np.ndarray, labels: np.ndarray, balance: float = 0.0) -> Judged:
        """Under the network's own actions, balanced as `greedy` has it."""
        return self._all(lambda x, y: self._decide(x, y, tf.constant(balance)), images, labels)

    def forced(self, images: np.ndarray, labels: np.ndarray, actions: np.ndarray) -> Judged:
        """Under given actions, int32 `(images, decisions)`."""
        return self._all(self._obey, images, labels, actions)

    def _all(self, run: Callable[..., tuple[tf.Tensor, ...]], *columns: np.ndarray) -> Judged:
        dataset = tf.data.Dataset.from_tensor_slices(columns).batch(_BATCH)
        parts = [tuple(value.numpy() for value in run(*batch)) for batch in dataset]
        return Judged(*map(np.concatenate, zip(*parts, strict=True)))

    def _decided(
        self, images: tf.Tensor, labels: tf.Tensor, balance: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        choose = greedy(self._network, tf.shape(images)[0], balance)
        passage = self._walk(images, choose)
        return self._judged(passage.outputs, labels, tf.stack(passage.actions, axis=1))

    def _obeyed(
        self, images: tf.Tensor, labels: tf.Tensor, actions: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        passage = self._walk(images, lambda step, state: actions[:, step])
        return self._judged(passage.outputs, labels, actions)

    def _judged(
        self, outputs: tf.Tensor, labels: tf.Tensor, actions: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        guesses = tf.argmax(outputs, axis=-1, output_type=tf.int32)
        return guesses == tf.cast(labels, tf.int32), self._loss(labels, outputs), actions
