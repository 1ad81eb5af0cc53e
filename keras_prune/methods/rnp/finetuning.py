"""Fine-tuning the backbone under the actions that are taken on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_prune.data import Splits
from keras_prune.methods.rnp.decisions import Decisions
from keras_prune.methods.rnp.network import DecisionNetwork, exploring, greedy
from keras_prune.methods.rnp.walk import Choose, Masked
from keras_prune.progress import Watcher
from keras_prune.training import TrainingConfig, computing_in
from keras_prune.training.classifier import cross_entropy
from keras_prune.training.fit import Row, epoch_rows, steps_in_epoch
from keras_prune.training.optimizer import optimizer
from keras_prune.training.watching import Watching


class FineTuning:
    """Trains a backbone on images that each compute what is decided for them.

    Some compute everything: actions are incremental, so that the backbone must stay good at full
    width, too. BatchNormalization keeps its statistics, which belong to no single width.

    Args:
        decisions: what is decided; its graph's model is trained in place.
        network: what decides; it is not changed.
        splits: the training images.
        config: one round's training; the schedule spans all rounds.
        rounds: how often `run` is called.
        full: fraction of the images at full width.
        precision: `"float32"` or `"mixed_bfloat16"`.
        seed: of the order of the images and of the draws.
        watcher: told of every few steps.
    """

    def __init__(
        self,
        decisions: Decisions,
        network: DecisionNetwork,
        splits: Splits,
        config: TrainingConfig,
        *,
        rounds: int,
        full: float,
        precision: str,
        seed: int,
        watcher: Watcher,
    ) -> None:
        self._model = decisions.graph.model
        self._config, self._precision, self._watcher = config, precision, watcher
        self._steps = steps_in_epoch(config, splits)
        self._splits, self._seed = splits, seed
        self._epsilon = tf.Variable(1.0, trainable=False)

        def choose(batch: tf.Tensor, seed: tf.Tensor) -> Choose:
            drawn = tf.random.split(seed, 2)
            taken = exploring(greedy(network, batch), decisions.sets, self._epsilon, drawn[0])
            wide = tf.random.stateless_uniform((batch,), drawn[1]) < full
            return lambda step, state: tf.where(wide, decisions.sets - 1, taken(step, state))

        self._trainer = _Deciding(Masked(decisions), choose, seed)
        self._trainer.compile(
            optimizer=optimizer(config, rounds * config.epochs * self._steps, self._model),
            loss=cross_entropy(self._model, config.label_smoothing),
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        )

    def run(
        self, stage: str, epsilon: float, callbacks: Iterable[keras.callbacks.Callback] = ()
    ) -> tuple[Row, ...]:
        """One round.

        Args:
            stage: what the watcher calls it.
            epsilon: probability of a random action.
            callbacks: further Keras callbacks.

        Returns:
            Per epoch `epoch` (from 1), `loss` and `accuracy` (percent) on what was trained on.
        """
        self._epsilon.assign(epsilon)
        self._seed += 1  # another order of the images
        with computing_in(self._precision, self._model):
            history = self._trainer.fit(
                self._splits.training(self._seed).repeat(),
                epochs=self._config.epochs,
                steps_per_epoch=self._steps,
                callbacks=[Watching(self._watcher, stage), *callbacks],
                shuffle=False,
                verbose=0,
            )
        return epoch_rows(history)


class _Deciding(keras.Model):
    """The backbone under actions, as a model that Keras can fit; its weights are the backbone's.

    As `call` takes no `training`, Keras runs all layers as in inference.
    """

    def __init__(
        self, walk: Masked, choose: Callable[[tf.Tensor, tf.Tensor], Choose], seed: int
    ) -> None:
        super().__init__(name="deciding")
        self.backbone = walk.decisions.graph.model
        self._walk, self._choose = walk, choose
        self._seeds = keras.random.SeedGenerator(seed)

    def call(self, images: tf.Tensor) -> Any:
        seed = tf.cast(self._seeds.next(), tf.int32)
        return self._walk(images, self._choose(tf.shape(images)[0], seed)).outputs
