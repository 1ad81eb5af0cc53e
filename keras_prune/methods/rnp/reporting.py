"""What is written of a run once everything is learned."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from keras_prune.config import to_dict
from keras_prune.exporting import export
from keras_prune.methods.rnp import tables
from keras_prune.methods.rnp.config import RNPRecipe
from keras_prune.methods.rnp.inference.latency import compare_latency
from keras_prune.methods.rnp.judging import Judged
from keras_prune.methods.rnp.learned import Learned
from keras_prune.methods.rnp.pictures import draw_examples, draw_learning
from keras_prune.methods.run import PruningRun
from keras_prune.reporting import ModelFigures, PruningReport, Skipped, peak_memory_mb
from keras_prune.training import figures

_EXPORTS = ("saved_model", "model.tflite")
_BATCH = 32
"""Images in a batch whose latency is measured."""

_TIMED = 128
"""Test images that latency is measured on, and the exports are checked on."""


class Reporting:
    """Writes tables, pictures, exports and the report. It alone reads the test split.

    Args:
        recipe: the whole configuration.
        run: the run.
        learned: what it has come to.
    """

    def __init__(self, recipe: RNPRecipe, run: PruningRun, learned: Learned) -> None:
        self._recipe, self._run, self._learned = recipe, run, learned
        self._directory = run.directory
        self._costs = learned.alternation.costs
        self._judge = learned.judge
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
