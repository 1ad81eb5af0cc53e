"""What every method's run has around its pruning: data, baseline, trainings, files, report."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from keras_prune import zoo
from keras_prune.config import to_dict, to_toml
from keras_prune.data import Splits
from keras_prune.exporting import export
from keras_prune.graph import ChannelGraph
from keras_prune.loading import load_classifier
from keras_prune.methods.common import Recipe
from keras_prune.methods.outcome import Outcome
from keras_prune.plan import PruningPlan
from keras_prune.profiling import compare
from keras_prune.progress import Watcher, silent
from keras_prune.reporting import (
    GroupReport,
    PruningReport,
    RunDirectory,
    Skipped,
    peak_memory_mb,
)
from keras_prune.reporting.curves import draw_accuracy
from keras_prune.tracking import Tracker, untracked
from keras_prune.training import TrainingConfig, baseline, evaluate, figures, fit
from keras_prune.training.fit import Row
from keras_prune.training.opening import is_file, open_data, open_file

_EXPORT_BATCH = 4  # examples both exports are checked on


class PruningRun:
    """One run from the data to the report; what prunes in between is a method's own.

    Args:
        recipe: the whole configuration.
        directory: where everything is written.
        data_dir: where the data sets lie; default `TFDS_DATA_DIR`.
        weights: a trained `.keras` file; default: a baseline is trained, or taken from the cache.
        watcher: told of every step.
        tracker: told of every epoch, and of the report.
        check: refuses a network that cannot be pruned as asked, before anything is trained or
            written; its weights may be any. Default: none is refused.

    Attributes:
        splits: the data.
        original: the baseline.
        baseline: its validation accuracy, in percent.
        trainings: how many were run by `fit`; each draws its batches by its number.

    Raises:
        KerasPruneError: the data, the weights or the configuration cannot be used.
    """

    def __init__(
        self,
        recipe: Recipe,
        directory: RunDirectory,
        *,
        data_dir: str | Path | None = None,
        weights: str | Path | None = None,
        watcher: Watcher = silent,
        tracker: Tracker = untracked,
        check: Callable[[keras.Model], None] | None = None,
    ) -> None:
        self.recipe = recipe
        self.directory = directory
        self.watcher = watcher
        self.tracker = tracker
        self._started = time.monotonic()
        self.trainings = 0
        self._epochs: list[Mapping[str, Any]] = []
        self._stages: Counter[str] = Counter()
        self.original, self.splits = self._opened(data_dir, weights, check)
        directory.write_text("config.toml", to_toml(recipe))
        directory.save_model("baseline.keras", self.original)
        self.baseline = self.accuracy(self.original)

    def _opened(
        self,
        data_dir: str | Path | None,
        weights: str | Path | None,
        check: Callable[[keras.Model], None] | None,
    ) -> tuple[keras.Model, Splits]:
        """The baseline and the data."""
        common, model = self.recipe.common, None
        if is_file(common):
            model, splits = open_file(common, data_dir)
        else:
            splits = open_data(common, data_dir)
            if weights is not None:
                model = load_classifier(weights, splits.input_shape, splits.num_classes)
        if check is not None:
            shapes = splits.input_shape, splits.num_classes
            check(zoo.build(common.model, *shapes) if model is None else model)
        return self._trained(splits) if model is None else model, splits

    def _trained(self, splits: Splits) -> keras.Model:
        common = self.recipe.common
        model, rows = baseline(
            common.model,
            splits,
            self.recipe.train,
            seed=common.seed,
            precision=common.precision,
            watcher=self.watcher,
            tracker=self.tracker,
        )
        self.record(f"train {common.model}", rows)
        return model

    def accuracy(self, model: keras.Model) -> float:
        """A model's accuracy on the validation split, in percent."""
        return evaluate(model, self.splits.validation).accuracy

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

        Args:
            model: what to train.
            config: how to train.
            stage: what this training is called, also in `training.csv`; a repeated one gets a
                number.
            validate: measure validation accuracy after every epoch, even where nothing is tracked.
            callbacks: Keras callbacks of the method's own.
        """
        self.trainings += 1
        stage = self._unique(stage)
        distillation = self.recipe.distillation
        recording = self.tracker.training(stage, pruned=True)
        history = fit(
            model,
            self.splits,
            config,
            seed=self.recipe.common.seed + self.trainings,
            precision=self.recipe.common.precision,
            watcher=self.watcher,
            stage=stage,
            callbacks=[*callbacks, *recording],
            validate=validate or bool(recording),
            teacher=self.original if distillation else None,
            distillation=distillation,
        )
        self.record(stage, history.rows)

    @property
    def epochs(self) -> int:
        """How many rows `training.csv` has."""
        return len(self._epochs)

    def go_on(self, trainings: int, epochs: int) -> None:
        """Takes up a run in the same directory that was killed.

        Args:
            trainings: how many it had run when its state was saved.
            epochs: how many rows of its `training.csv` are theirs.
        """
        self.trainings = trainings
        path = self.directory / "training.csv"
        rows = pd.read_csv(path).head(epochs).to_dict("records") if epochs else []
        self._epochs = [  # a cell that is empty in the file is none of the row's
            {str(name): value for name, value in row.items() if value == value} for row in rows
        ]

    def record(self, stage: str, rows: Iterable[Row]) -> None:
        """Writes the epochs of one more training to `training.csv`."""
        self._epochs += [{"stage": stage, **row} for row in rows]
        self.directory.write_frame("training.csv", pd.DataFrame(self._epochs))

    def _unique(self, stage: str) -> str:
        self._stages[stage] += 1
        times = self._stages[stage]
        return stage if times == 1 else f"{stage} {times}"

    def report(self, method: str, outcome: Outcome) -> PruningReport:
        """Saves and exports the pruned model, reads the test split, and writes the report.

        `layers.csv` says what every layer cost and costs, `accuracy.svg` how the trainings went.

        Args:
            method: the method's name.
            outcome: what it hands over.
        """
        self.directory.save_model("pruned.keras", outcome.model)
        outcome.plan.save(self.directory / "plan.json")
        layers = compare(self.original, outcome.model).to_flat_frame()
        self.directory.write_frame("layers.csv", layers)
        return self.publish(self._report(method, outcome))

    def publish(self, report: PruningReport) -> PruningReport:
        """Writes the report, with how the trainings went in `accuracy.svg`."""
        draw_accuracy(self._curves(), self.directory / "accuracy.svg")
        self.directory.write_json("report.json", report.to_dict())
        self.tracker.final(report.before, report.after)
        return report

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return time.monotonic() - self._started

    def _curves(self) -> dict[str, tuple[list[float], list[float]]]:
        """Validation accuracy over the epochs of each training it was measured in."""
        curves: dict[str, tuple[list[float], list[float]]] = {}
        for row in self._epochs:
            if "val_accuracy" in row:
                epochs, accuracies = curves.setdefault(row["stage"], ([], []))
                epochs.append(row["epoch"])
                accuracies.append(row["val_accuracy"])
        longest = max((epochs[-1] for epochs, _ in curves.values()), default=1)
        return {"unpruned": ([1, longest], [self.baseline] * 2), **curves}

    def _report(self, method: str, outcome: Outcome) -> PruningReport:
        common = self.recipe.common
        test = self.splits.test  # read here and nowhere else
        batch, _ = self.splits.validation_arrays(_EXPORT_BATCH)
        exports = [
            export(outcome.model, self.directory / name, batch=batch, force=True)  # a killed run's
            for name in ("saved_model", "model.tflite")
        ]
        graph = ChannelGraph(self.original)
        return PruningReport(
            method=method,
            model=common.model,
            dataset=common.dataset,
            seed=common.seed,
            config=to_dict(self.recipe),
            before=figures(self.original, test, self.baseline),
            after=figures(outcome.model, test, outcome.accuracy),
            groups=_groups(graph, outcome.plan),
            skipped=_skipped(graph, outcome),
            notes=outcome.notes,
            exports=tuple(asdict(exported) for exported in exports),
            seconds=self.seconds,
            peak_memory_mb=peak_memory_mb(),
        )


def _groups(graph: ChannelGraph, plan: PruningPlan) -> tuple[GroupReport, ...]:
    return tuple(
        GroupReport(name, group.channels, len(plan.kept.get(name, range(group.channels))))
        for name, group in graph.groups.items()
    )


def _skipped(graph: ChannelGraph, outcome: Outcome) -> tuple[Skipped, ...]:
    """What stayed whole: groups left alone, and operations no rule can vouch for."""
    reasons = outcome.untouched.items()
    whole = {group.name for group in _groups(graph, outcome.plan) if group.kept == group.channels}
    left = [Skipped(name, reason) for name, reason in reasons if name in whole]
    return (*left, *(Skipped(pin.name, pin.reason) for pin in graph.barriers))
