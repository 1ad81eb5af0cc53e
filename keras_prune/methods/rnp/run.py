"""One run from the data to the report."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from keras_prune import criteria
from keras_prune.config import to_dict
from keras_prune.exporting import export
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp import tables
from keras_prune.methods.rnp.alternation import Alternation
from keras_prune.methods.rnp.config import RNPRecipe
from keras_prune.methods.rnp.curve import Curve
from keras_prune.methods.rnp.decisions import Decisions, find_decisions
from keras_prune.methods.rnp.inference.latency import compare_latency
from keras_prune.methods.rnp.inference.model import RuntimePrunedModel
from keras_prune.methods.rnp.judging import Judge, Judged
from keras_prune.methods.rnp.ordering import ordered
from keras_prune.methods.rnp.pictures import draw_curve, draw_examples, draw_learning
from keras_prune.methods.run import PruningRun
from keras_prune.progress import Watcher, silent
from keras_prune.reporting import (
    ModelFigures,
    PruningReport,
    RunDirectory,
    Skipped,
    peak_memory_mb,
)
from keras_prune.tracking import Tracker, untracked
from keras_prune.training import figures

_EXPORTS = ("saved_model", "model.tflite")
_BATCH = 32
"""Images in a batch whose latency is measured."""

_TIMED = 128
"""Test images that latency is measured on, and the exports are checked on."""


def run_recipe(
    recipe: RNPRecipe,
    run: RunDirectory,
    *,
    data_dir: str | Path | None = None,
    weights: str | Path | None = None,
    watcher: Watcher = silent,
    tracker: Tracker = untracked,
    curve: bool = False,
) -> PruningReport:
    """Trains or loads a baseline, teaches it to decide how much of itself to compute, and reports.

    Args:
        recipe: the whole configuration.
        run: where everything is written.
        data_dir: where the data sets lie; default `TFDS_DATA_DIR`.
        weights: a trained `.keras` file; default: a baseline is trained, or taken from the cache.
        watcher: told of every step.
        tracker: told of every epoch, and of the report.
        curve: also draw accuracy over multiplications, for several prices and balances, static
            networks and random actions; this trains several more agents and networks.

    Returns:
        The report, as written to `report.json`. Its costs after pruning are averages over the test
        images, the decisions' own included.

    Raises:
        KerasPruneError: the data, the weights or the configuration cannot be used.
    """
    pruning = PruningRun(
        recipe,
        run,
        data_dir=data_dir,
        weights=weights,
        watcher=watcher,
        tracker=tracker,
        check=lambda model: _check(model, recipe.prune.sets),
    )
    learned = _learn(recipe, pruning)
    report = _Reporting(recipe, pruning, learned).report()
    if curve:
        frame = Curve(recipe, pruning, learned.alternation, learned.decisions).frame()
        run.write_frame("curve.csv", frame)
        draw_curve(frame, run / "curve.svg")
    return report


def _check(model: keras.Model, sets: int) -> None:
    find_decisions(ChannelGraph(model), sets)


@dataclass(frozen=True)
class _Learned:
    """A backbone, an agent, and how they came about."""

    decisions: Decisions
    alternation: Alternation
    model: RuntimePrunedModel


def _learn(recipe: RNPRecipe, run: PruningRun) -> _Learned:
    config, graph = recipe.prune, ChannelGraph(run.original)
    images = run.splits.training_sample(config.images)
    backbone = ordered(graph, criteria.get(config.criterion)(graph, images))
    decisions = find_decisions(ChannelGraph(backbone), config.sets)
    alternation = Alternation(
        decisions,
        run.splits,
        recipe.common,
        recipe.finetune,
        config,
        watcher=run.watcher,
        on_finetuned=run.record,
    )
    alternation.run()
    model = RuntimePrunedModel(backbone, alternation.network, config.sets, name="runtime_pruned")
    model.balance = config.balance
    return _Learned(decisions, alternation, model)


class _Reporting:
    """What is written of a run once everything is learned. It alone reads the test split."""

    def __init__(self, recipe: RNPRecipe, run: PruningRun, learned: _Learned) -> None:
        self._recipe, self._run, self._learned = recipe, run, learned
        self._directory = run.directory
        self._costs = learned.alternation.costs
        self._judge = Judge(learned.decisions, learned.alternation.network)
        self._images, self._labels = run.splits.test_arrays()

    def report(self) -> PruningReport:
        """Writes everything."""
        history = pd.DataFrame(self._learned.alternation.history)
        self._directory.write_frame("history.csv", history)
        draw_learning(history, self._directory / "learning.svg")
        judged = self._judged(self._images, self._labels)
        self._tables(judged)
        self._examples(judged)
        exports = self._exports()
        report = self._report(judged, exports)
        return self._run.publish(report)

    def _judged(self, images: np.ndarray, labels: np.ndarray) -> Judged:
        return self._judge.greedy(images, labels, self._recipe.prune.balance)

    def _tables(self, judged: Judged) -> None:
        decisions, costs, actions = self._learned.decisions, self._costs, judged.actions
        names = self._run.splits.class_names
        write = self._directory.write_frame
        write("multiplications.csv", tables.multiplications(costs, actions))
        write("actions.csv", tables.action_shares(decisions, actions))
        found = tables.by_class(decisions, costs, actions, self._labels, judged.right, names)
        write("classes.csv", found)

    def _examples(self, judged: Judged) -> None:
        names = self._run.splits.class_names
        titles = [names[label] if names else str(label) for label in self._labels.tolist()]
        share = self._costs.images(judged.actions) / self._costs.original
        draw_examples(self._images, share, titles, self._directory / "examples.svg")

    def _exports(self) -> tuple[dict[str, Any], ...]:
        """Writes the model and its exports, and times them beside the original's."""
        model, images = self._learned.model, self._images[:_TIMED]
        model.choose_batching(images[:_BATCH])
        self._directory.save_model("pruned.keras", model)
        exports = [
            export(model, self._directory / name, batch=images, force=True) for name in _EXPORTS
        ]
        with tempfile.TemporaryDirectory() as folder:
            dense = [export(self._run.original, Path(folder) / name).path for name in _EXPORTS]
            pairs: dict[str | Path, str | Path] = {
                before: after.path for before, after in zip(dense, exports, strict=True)
            }
            frame = compare_latency(
                pairs, images, batch_sizes=(1, _BATCH), watcher=self._run.watcher
            )
        self._directory.write_frame("latency.csv", frame)
        return tuple(map(asdict, exports))

    def _report(self, judged: Judged, exports: tuple[dict[str, Any], ...]) -> PruningReport:
        common, run = self._recipe.common, self._run
        return PruningReport(
            method="rnp",
            model=common.model,
            dataset=common.dataset,
            seed=common.seed,
            config=to_dict(self._recipe),
            before=figures(run.original, run.splits.test, run.baseline),
            after=self._figures(judged),
            groups=(),
            skipped=tuple(Skipped(*entry) for entry in self._learned.decisions.whole.items()),
            notes=self._notes(judged),
            exports=exports,
            seconds=run.seconds,
            peak_memory_mb=peak_memory_mb(),
        )

    def _figures(self, judged: Judged) -> ModelFigures:
        model = self._learned.model
        macs = self._costs.others + int(self._costs.images(judged.actions).mean())
        parameters = model.count_params()
        return ModelFigures(
            accuracy=judged.accuracy,
            loss=float(judged.losses.mean()),
            validation_accuracy=self._judged(*self._run.splits.validation_arrays()).accuracy,
            parameters=parameters,
            macs=macs,
            flops=2 * macs,
            bytes=4 * parameters,
        )

    def _notes(self, judged: Judged) -> tuple[str, ...]:
        share = 100 * self._costs.share(judged.actions)
        full = np.full_like(judged.actions, self._recipe.prune.sets - 1)
        whole = self._judge.forced(self._images, self._labels, full)
        return (
            f"Pruned model contains {share:.2f} % of the original's multiplications, those of the "
            "decisions included, for one test image on average.",
            f"At full width the fine-tuned network has {whole.accuracy:.2f} % of the test right.",
            f"alpha = {self._learned.alternation.alpha:.4g} in the last round's rewards.",
        )
