"""What a network decides about each image, and how well it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from keras_prune.agents.q_learning import greedy
from keras_prune.methods.rnp.decisions import Decisions
from keras_prune.methods.rnp.execution import Masked
from keras_prune.methods.rnp.network import DecisionNetwork
from keras_prune.training.class_loss import cross_entropy

_BATCH = 250


@dataclass(frozen=True)
class Evaluated:
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


class DecisionEvaluator:
    """Runs images under actions; compiled once.

    Args:
        decisions: what is decided.
        network: what decides.
    """

    def __init__(self, decisions: Decisions, network: DecisionNetwork) -> None:
        self._execution = Masked(decisions)
        self._network = network
        self._loss = cross_entropy(decisions.graph.model)
        self._greedy = tf.function(self._run_greedy, autograph=False, reduce_retracing=True)
        self._forced = tf.function(self._run_forced, autograph=False, reduce_retracing=True)

    def greedy(self, images: np.ndarray, labels: np.ndarray, balance: float = 0.0) -> Evaluated:
        """Under the network's own actions; `balance` is added to the price of a set."""
        return self._all(lambda x, y: self._greedy(x, y, tf.constant(balance)), images, labels)

    def forced(self, images: np.ndarray, labels: np.ndarray, actions: np.ndarray) -> Evaluated:
        """Under given actions, int32 `(images, decisions)`."""
        return self._all(self._forced, images, labels, actions)

    def _all(self, run: Callable[..., tuple[tf.Tensor, ...]], *columns: np.ndarray) -> Evaluated:
        dataset = tf.data.Dataset.from_tensor_slices(columns).batch(_BATCH)
        parts = [tuple(value.numpy() for value in run(*batch)) for batch in dataset]
        return Evaluated(*map(np.concatenate, zip(*parts, strict=True)))

    def _run_greedy(
        self, images: tf.Tensor, labels: tf.Tensor, balance: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        choose = greedy(self._network, tf.shape(images)[0], balance)
        trajectory = self._execution(images, choose)
        return self._evaluated(trajectory.outputs, labels, tf.stack(trajectory.actions, axis=1))

    def _run_forced(
        self, images: tf.Tensor, labels: tf.Tensor, actions: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        trajectory = self._execution(images, lambda step, state: actions[:, step])
        return self._evaluated(trajectory.outputs, labels, actions)

    def _evaluated(
        self, outputs: tf.Tensor, labels: tf.Tensor, actions: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        guesses = tf.argmax(outputs, axis=-1, output_type=tf.int32)
        right = guesses == tf.cast(tf.reshape(labels, (-1,)), tf.int32)
        return right, self._loss(labels, outputs), actions
