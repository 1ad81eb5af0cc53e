"""One run from the data to the report."""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from keras_prune import data, zoo
from keras_prune.config import to_dict, to_toml
from keras_prune.data import Splits
from keras_prune.exporting import export
from keras_prune.graph import ChannelGraph
from keras_prune.loading import load_classifier
from keras_prune.methods.filter_agent.agent import FilterAgentResult, prune_by_agent
from keras_prune.methods.filter_agent.config import FilterAgentRecipe
from keras_prune.methods.filter_agent.guard import Kept, keep_promise
from keras_prune.methods.filter_agent.rounds import Rounds, prune_in_rounds
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.progress import Watcher, silent
from keras_prune.reporting import (
    GroupReport,
    ModelFigures,
    PruningReport,
    RunDirectory,
    Skipped,
    peak_memory_mb,
)
from keras_prune.training import TrainingConfig, baseline, evaluate, fit

_SEEDS_A_ROUND = 1000  # more than a network has groups
_EXPORT_BATCH = 4  # examples both exports are checked on


def run_recipe(
    recipe: FilterAgentRecipe,
    run: RunDirectory,
    *,
    data_dir: str | Path | None = None,
    weights: str | Path | None = None,
    watcher: Watcher = silent,
) -> PruningReport:
    """Trains or loads a baseline, prunes it by the filter agent, fine-tunes, exports and reports.

    Args:
        recipe: the whole configuration.
        run: where everything is written.
        data_dir: where the data sets lie; default `TFDS_DATA_DIR`.
        weights: a trained `.keras` file; default: a baseline is trained, or taken from the cache.
        watcher: told of every step.

    Returns:
        The report, as written to `report.json`.

    Raises:
        KerasPruneError: the data, the weights or the configuration cannot be used.
    """
    return _Run(recipe, run, watcher).report(data_dir, weights)


class _Run:
    """The stages of one run, and what they hand on."""

    def __init__(self, recipe: FilterAgentRecipe, run: RunDirectory, watcher: Watcher) -> None:
        self._recipe = recipe
        self._run = run
        self._watcher = watcher
        self._started = time.monotonic()
        self._trainings = 0

    def report(self, data_dir: str | Path | None, weights: str | Path | None) -> PruningReport:
        common = self._recipe.common
        splits = data.load(
            common.dataset,
            input_shape=zoo.default_input_shape(common.model),
            batch_size=common.batch_size,
            data_dir=data_dir,
            seed=common.seed,
        )
        original = self._baseline(splits, weights)
        self._run.write_text("config.toml", to_toml(self._recipe))
        self._run.save_model("baseline.keras", original)
        before = evaluate(original, splits.validation).accuracy
        done = self._prune(original, splits, before)
        self._run.save_model("pruned.keras", done.kept.model)
        self._save_progress(done)
        report = self._report(original, before, done, splits)
        self._run.write_json("report.json", report.to_dict())
        return report

    def _baseline(self, splits: Splits, weights: str | Path | None) -> keras.Model:
        if weights is not None:
            return load_classifier(weights, splits.input_shape, splits.num_classes)
        common = self._recipe.common
        model, _ = baseline(
            common.model,
            splits,
            self._recipe.train,
            seed=common.seed,
            precision=common.precision,
            watcher=self._watcher,
        )
        return model

    def _prune(self, original: keras.Model, splits: Splits, before: float) -> Rounds:
        """Lets the agent choose, group by group; what there is so far is on disk after each."""
        nothing = PruningPlan.for_graph(ChannelGraph(original), {})
        return prune_in_rounds(
            Kept(original, nothing, before),
            self._recipe.prune.rounds,
            search=lambda kept, number, on_group: self._search(
                kept.model, splits, before, number, on_group
            ),
            keep=lambda kept, found: self._keep(kept.model, found, splits, before),
            save=self._save_progress,
        )

    def _search(
        self,
        model: keras.Model,
        splits: Splits,
        before: float,
        number: int,
        on_group: Callable[[FilterAgentResult], None],
    ) -> FilterAgentResult:
        """One round of the agent."""
        images, labels = splits.validation_arrays(self._recipe.prune.images)
        rounds = self._recipe.prune.rounds
        return prune_by_agent(
            model,
            images,
            labels,
            self._recipe.prune,
            baseline=before,
            accuracy=lambda model: evaluate(model, splits.validation).accuracy,
            recover=lambda model, name: self._fit(
                model, splits, self._recipe.recovery, f"recover {name}"
            ),
            seed=self._recipe.common.seed + _SEEDS_A_ROUND * number,
            precision=self._recipe.common.precision,
            watcher=lambda told: self._watcher(
                replace(told, stage=f"round {number}/{rounds} {told.stage}")
            ),
            on_group=on_group,
        )

    def _keep(
        self, model: keras.Model, found: FilterAgentResult, splits: Splits, before: float
    ) -> Kept:
        return keep_promise(
            model,
            found.model,
            found.plan,
            found.log_odds,
            baseline=before,
            b=self._recipe.prune.b,
            finetune=lambda model: self._fit(model, splits, self._recipe.finetune, "fine-tune"),
            accuracy=lambda model: evaluate(model, splits.validation).accuracy,
        )

    def _save_progress(self, done: Rounds) -> None:
        self._run.write_frame("history.csv", pd.DataFrame(done.history))
        done.kept.plan.save(self._run / "plan.json")

    def _fit(self, model: keras.Model, splits: Splits, config: TrainingConfig, stage: str) -> None:
        """Trains in place; every training of a run sees its batches in another order."""
        self._trainings += 1
        fit(
            model,
            splits,
            config,
            seed=self._recipe.common.seed + self._trainings,
            precision=self._recipe.common.precision,
            watcher=self._watcher,
            stage=stage,
        )

    def _report(
        self,
        original: keras.Model,
        before: float,
        done: Rounds,
        splits: Splits,
    ) -> PruningReport:
        common, kept = self._recipe.common, done.kept
        test = splits.test  # read here and nowhere else
        batch, _ = splits.validation_arrays(_EXPORT_BATCH)
        exports = [
            export(kept.model, self._run / name, batch=batch)
            for name in ("saved_model", "model.tflite")
        ]
        graph = ChannelGraph(original)
        return PruningReport(
            method="filter_agent",
            model=common.model,
            dataset=common.dataset,
            seed=common.seed,
            config=to_dict(self._recipe),
            before=_figures(original, test, before),
            after=_figures(kept.model, test, kept.accuracy),
            groups=_groups(graph, kept.plan),
            skipped=_skipped(graph, done),
            notes=kept.notes,
            exports=tuple(asdict(exported) for exported in exports),
            seconds=time.monotonic() - self._started,
            peak_memory_mb=peak_memory_mb(),
        )


def _figures(model: keras.Model, test: Any, validation_accuracy: float) -> ModelFigures:
    quality, cost = evaluate(model, test), profile(model).total
    return ModelFigures(
        accuracy=quality.accuracy,
        loss=quality.loss,
        validation_accuracy=validation_accuracy,
        parameters=cost.parameters,
        macs=cost.macs,
        flops=cost.flops,
        bytes=cost.bytes,
    )


def _groups(graph: ChannelGraph, plan: PruningPlan) -> tuple[GroupReport, ...]:
    return tuple(
        GroupReport(name, group.channels, len(plan.kept.get(name, range(group.channels))))
        for name, group in graph.groups.items()
    )


def _skipped(graph: ChannelGraph, done: Rounds) -> tuple[Skipped, ...]:
    """What stayed whole: groups the agent left alone, and operations no rule can vouch for."""
    reasons = done.untouched.items()
    left = [Skipped(name, reason) for name, reason in reasons if name not in done.kept.plan.kept]
    return (*left, *(Skipped(pin.name, pin.reason) for pin in graph.barriers))
