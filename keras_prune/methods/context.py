"""What a method works with: the network, its task, trainings, and evaluators of masks."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import keras

from keras_prune import criteria
from keras_prune.errors import ResultWarning
from keras_prune.graph import ChannelGraph, ChannelGroup, ResidualBlock
from keras_prune.methods.state import Pruned, RunState
from keras_prune.methods.verdict import verdict
from keras_prune.reporting import RunDirectory
from keras_prune.rollouts import Evaluator, Pool, evaluator
from keras_prune.scores import ChannelScores
from keras_prune.tracking import Observers
from keras_prune.training import DistillationConfig, Task, TrainingConfig, fit
from keras_prune.training.chance import classes_of
from keras_prune.training.checkpoint import Checkpoint
from keras_prune.training.objective import Objective
from keras_prune.training.recalibration import norms, recalibrate
from keras_prune.utils.progress import Progress


class Context:
    """One run of a method, as the method sees it. Made by the driver.

    Args:
        model: the network that is pruned: the original, or what a training for sparsity made of it.
        task: bound to it.
        seed: of everything random.
        precision: of trainings and rollouts.
        baseline: the original's objective on the validation data.
        distillation: how trainings learn from the unpruned network; None: they do not.
        observers: told of trainings and steps.
        directory: where files are written; None: nowhere.
        pool: processes that measure candidates; None: this one does.

    Attributes:
        original: the network that was given.
        initial: the objective of the network that is pruned.
        ledger: trainings so far, to be kept with the state.
    """

    def __init__(
        self,
        model: keras.Model,
        task: Task,
        *,
        seed: int,
        precision: str,
        baseline: float,
        distillation: DistillationConfig | None,
        observers: Observers,
        directory: RunDirectory | None = None,
        pool: Pool | None = None,
    ) -> None:
        self.model, self.task, self.seed, self.precision = model, task, seed, precision
        self.original, self.initial = model, baseline
        self.baseline, self.distillation = baseline, distillation
        self.observers, self.directory = observers, directory
        self.ledger = Ledger()
        self._pool = pool

    @property
    def objective(self) -> Objective:
        """What networks are judged by."""
        return self.task.objective

    def value(self, model: keras.Model) -> float:
        """A network's objective on the validation data, in its own units."""
        return self.task.value(model)

    def fit(
        self,
        model: keras.Model,
        config: TrainingConfig,
        stage: str,
        *,
        validate: bool = False,
        callbacks: Iterable[keras.callbacks.Callback] = (),
    ) -> None:
        """Trains in place; every training of a run sees its batches in another order.

        A training that takes long is kept on disk, so that a run that was killed goes on in it.

        Args:
            model: what to train.
            config: how to train.
            stage: what this training is called, also in `training.csv`; a repeated one gets a
                number.
            validate: measure on the validation data after every epoch, even where nothing is
                tracked.
            callbacks: Keras callbacks of the method's own.
        """
        name = self.begin_training(stage)
        checkpoint = self.checkpoint(f"{name} {config}")
        recording = self.observers.training(
            name, pruned=True, past=checkpoint.rows if checkpoint else tuple
        )
        history = fit(
            model,
            self.task,
            config,
            seed=self.seed + self.ledger.trainings,
            precision=self.precision,
            watcher=self.observers.progress,
            stage=name,
            callbacks=[*callbacks, *recording],
            validate=validate or bool(recording),
            teacher=self.original if self.distillation else None,
            distillation=self.distillation,
            checkpoint=checkpoint,
        )
        self.record(name, history.rows)

    def value_of_cut(self, model: keras.Model, images: int) -> float:
        """The objective right after a cut; before, statistics of BatchNormalization are made anew.

        Args:
            model: what is left; its statistics are changed in place.
            images: training examples for them; 0 leaves them as they are.
        """
        if images and norms(model)[0]:
            inputs = self.task.examples("train", images)[0]
            recalibrate(model, (inputs, None), batches=images)  # all there are
        return self.task.value(model)

    def begin_training(self, stage: str) -> str:
        """Counts one more training; returns its name, which no other of the run has.

        For trainings that `fit` cannot run; `record` is told their epochs.
        """
        return self.ledger.begin(stage)

    def checkpoint(self, identity: str) -> Checkpoint | None:
        """Where the training that was begun last is kept, if anything is written.

        Args:
            identity: tells it from other trainings.
        """
        if self.directory is None:
            return None
        folder = self.directory / "trainings" / str(self.ledger.trainings)
        return Checkpoint(folder, identity)

    def record(self, stage: str, rows: Iterable[Mapping[str, float]]) -> None:
        """Keeps the epochs of a training, for `training.csv`."""
        self.ledger.record(stage, rows)

    def progress(
        self, stage: str, done: int, total: int, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Tells how far something has come."""
        self.observers.progress(Progress(stage, done, total, metrics or {}))

    def track(self, series: str, figures: Mapping[str, float]) -> None:
        """Tells of a step of anything but a training, for example of an agent on a group."""
        self.observers.step(series, figures)

    @cached_property
    def classes(self) -> int | None:
        """How many classes the objective tells apart, if it is an accuracy of classes."""
        return classes_of(self.model, self.objective)

    def warn_before_training(self, pruned: Pruned) -> None:
        """Warns of a cut that has left little, while the long training at the end can be spared.

        Args:
            pruned: the network after its last cut, with its value.
        """
        for told in verdict(self.objective, self.baseline, pruned.value, self.classes, pruned.plan):
            warnings.warn(f"Before the fine-tuning: {told}", ResultWarning, stacklevel=2)

    def evaluator(
        self, graph: ChannelGraph, groups: Sequence[ChannelGroup | ResidualBlock], limit: int | None
    ) -> Evaluator:
        """What measures networks some of whose channels are silenced, on validation examples.

        Args:
            graph: the walked network.
            groups: the groups and residual blocks that are being decided.
            limit: examples a value is measured on; default all.
        """
        examples = self.task.examples("validation", limit)
        return evaluator(
            graph, groups, self.task, examples, precision=self.precision, pool=self._pool
        )

    def scores(self, graph: ChannelGraph, criterion: Any, limit: int) -> ChannelScores:
        """The scores of a criterion on training examples, with the task's loss.

        Args:
            graph: the walked network.
            criterion: as `criteria.get` takes it.
            limit: training examples that a criterion which needs data looks at.
        """
        if criterion == criteria.Random.name:  # another order with every seed
            criterion = {"class_name": criterion, "config": {"seed": self.seed}}
        found = criteria.get(criterion)
        # Of class numbers a criterion knows the loss by itself, and what their outputs are.
        told = self.task.has_default_loss and self.task.classes
        if isinstance(found, criteria.Criterion) and found.wants_loss and not told:
            found = found.with_loss(self.task.per_example(graph.model))
        inputs, labels, _ = self.task.examples("train", limit)
        scores = found(graph, (inputs, labels))
        if isinstance(scores, ChannelScores):
            return scores
        name = getattr(criterion, "__name__", type(criterion).__name__)
        return ChannelScores(scores, criterion=name, fingerprint=graph.fingerprint)


class Ledger:
    """The trainings of a run, counted and recorded.

    Attributes:
        trainings: how many were begun.
        epochs: a row per epoch, with the training's name under `stage`.
    """

    def __init__(self) -> None:
        self.trainings = 0
        self.epochs: list[Mapping[str, Any]] = []
        self._stages: Counter[str] = Counter()
        self.on_record: Callable[[], None] = lambda: None

    def begin(self, stage: str) -> str:
        """Counts a training; returns its name, which no other has."""
        self.trainings += 1
        self._stages[stage] += 1
        times = self._stages[stage]
        return stage if times == 1 else f"{stage} {times}"

    def record(self, stage: str, rows: Iterable[Mapping[str, float]]) -> None:
        """Keeps the epochs of a training."""
        self.epochs += [{"stage": stage, **row} for row in rows]
        self.on_record()

    def keep_in(self, state: RunState) -> RunState:
        """A state that holds what the ledger does."""
        return replace(
            state,
            trainings=self.trainings,
            stages=dict(self._stages),
            epochs=tuple(dict(row) for row in self.epochs),
        )

    def take_from(self, state: RunState) -> None:
        """Goes on from a state."""
        self.trainings = state.trainings
        self._stages = Counter(state.stages)
        self.epochs = list(state.epochs)
