"""Fine-tuning the backbone under the actions that are taken on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_prune.agents.q_learning import Policy, epsilon_greedy
from keras_prune.methods.context import Context
from keras_prune.methods.rnp.decisions import Decisions
from keras_prune.methods.rnp.execution import Masked
from keras_prune.methods.rnp.network import DecisionNetwork
from keras_prune.training import TrainingConfig, computing_in
from keras_prune.training.checkpoint import storable
from keras_prune.training.loop import run_epochs
from keras_prune.training.optimizer import optimizer
from keras_prune.training.progress_callback import ProgressCallback


class FineTuning:
    """Trains a backbone on images that each compute what is decided for them.

    Some compute everything: actions are incremental, so that the backbone must stay good at full
    width, too. BatchNormalization keeps its statistics, which belong to no single width.

    Args:
        context: the run.
        decisions: what is decided; its graph's model is trained in place.
        network: what decides; it is not changed.
        config: the training of one step; its schedule spans all of them.
        steps: how many there are.
        epsilon: probability of a random action.
        full: fraction of the images at full width.
    """

    def __init__(
        self,
        context: Context,
        decisions: Decisions,
        network: DecisionNetwork,
        config: TrainingConfig,
        *,
        steps: int,
        epsilon: float,
        full: float,
    ) -> None:
        self._context, self._config = context, config
        self._backbone = decisions.graph.model
        self._batches = config.steps_per_epoch or context.task.steps

        def choose(batch: tf.Tensor, seed: tf.Tensor) -> Policy:
            drawn = tf.random.split(seed, 2)
            taken = epsilon_greedy(network, batch, epsilon, drawn[0])
            wide = tf.random.stateless_uniform((batch,), drawn[1]) < full
            return lambda step, state: tf.where(wide, decisions.sets - 1, taken(step, state))

        self._trainer = _Deciding(Masked(decisions), choose, context.seed)
        compiled = context.task.compiled(self._backbone, config.label_smoothing)
        total = steps * config.epochs * self._batches
        self._optimizer = optimizer(config, total, self._backbone)
        self._trainer.compile(self._optimizer, **compiled.arguments())
        self._optimizer.build(self._trainer.trainable_variables)

    def restore(self, draws: Sequence[int], memory: Sequence[np.ndarray]) -> None:
        """Goes on where the fine-tuning of the step before left off.

        Args:
            draws: `draws` of that one.
            memory: its `memory`.
        """
        self._trainer.seeds.state.assign(draws)
        for variable, value in zip(self._optimizer.variables, memory, strict=True):
            variable.assign(value)

    def run(self, stage: str, seed: int) -> None:
        """Trains.

        Args:
            stage: what it is called.
            seed: of the order of the images.
        """
        context = self._context
        name = context.begin_training(stage)
        with computing_in(context.precision, self._backbone):
            rows = run_epochs(
                self._trainer,
                lambda start: context.task.batches(seed, start),
                epochs=self._config.epochs,
                steps=self._batches,
                callbacks=[
                    ProgressCallback(context.observers.progress, name),
                    *context.observers.training(name, pruned=True),
                    *context.task.callbacks(),
                ],
                checkpoint=context.checkpoint(f"{name} {self._config}"),
            )
        context.record(name, rows)

    @property
    def draws(self) -> list[int]:
        """Where the stream of random actions stands."""
        state = keras.ops.convert_to_numpy(self._trainer.seeds.state)
        return [int(number) for number in state]

    @property
    def memory(self) -> list[np.ndarray]:
        """The optimizer's variables."""
        return [storable(variable) for variable in self._optimizer.variables]


class _Deciding(keras.Model):
    """The backbone under actions, as a model that Keras can train; its weights are the backbone's.

    As `call` takes no `training`, Keras runs all layers as in inference.
    """

    def __init__(
        self, execution: Masked, choose: Callable[[tf.Tensor, tf.Tensor], Policy], seed: int
    ) -> None:
        super().__init__(name="deciding")
        self.backbone = execution.decisions.graph.model
        self.seeds = keras.random.SeedGenerator(seed)
        self._execution, self._choose = execution, choose

    def call(self, images: tf.Tensor) -> Any:
        seed = tf.cast(self.seeds.next(), tf.int32)
        return self._execution(images, self._choose(tf.shape(images)[0], seed)).outputs
