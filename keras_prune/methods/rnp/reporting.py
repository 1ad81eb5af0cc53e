"""What the report of a run says, and the files beside it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from keras_prune.errors import DataError
from keras_prune.exporting import Failed, attempt, export
from keras_prune.graph import ChannelGraph
from keras_prune.methods.context import Context
from keras_prune.methods.rnp import tables
from keras_prune.methods.rnp.config import RNPConfig
from keras_prune.methods.rnp.costs import Costs
from keras_prune.methods.rnp.decisions import find_decisions
from keras_prune.methods.rnp.evaluator import DecisionEvaluator
from keras_prune.methods.rnp.inference.latency import compare_latency
from keras_prune.methods.rnp.inference.model import RuntimePrunedModel
from keras_prune.methods.rnp.plots import draw_examples, draw_learning
from keras_prune.methods.state import RunState
from keras_prune.reporting import ModelFigures, PruningReport, RunDirectory
from keras_prune.training import Task

_EXPORTS = ("saved_model", "model.tflite")
_BATCHES = (1, 32)
"""Images in a call whose latency is measured."""

_TIMED = 128
"""Images that latency is measured on."""


class Reporting:
    """What a runtime-pruned model does with the test examples, as figures and as files.

    Args:
        context: the run.
        config: how the decisions were learned.
        model: what was learned.
        state: how it came about.

    Attributes:
        split: whose examples the figures are of: validation where there are no test examples.
        images: its images.
        labels: their classes, `(images,)`.
        decisions: what is decided.
        costs: what actions cost.
        evaluator: runs images under actions.
    """

    def __init__(
        self, context: Context, config: RNPConfig, model: RuntimePrunedModel, state: RunState
    ) -> None:
        self._context, self._config, self._model, self._state = context, config, model, state
        self.decisions = find_decisions(ChannelGraph(model.backbone), config.sets)
        self.costs = Costs(self.decisions, model.network.macs)
        self.evaluator = DecisionEvaluator(self.decisions, model.network)
        self.split, self.images, self.labels = _examples(context.task)
        self._found = self.evaluator.greedy(self.images, self.labels, config.balance)

    def completed(self, report: PruningReport) -> PruningReport:
        """A report with costs that are averages over the examples."""
        return replace(
            report,
            after=self._figures(report.after),
            groups=(),
            notes=(*report.notes, *self._notes()),
        )

    def write(self, directory: RunDirectory) -> tuple[str, ...]:
        """Writes tables and plots; returns what the reader of the report should know."""
        actions, right = self._found.actions, self._found.right
        names = self._context.task.class_names
        by_class = tables.by_class(self.decisions, self.costs, actions, self.labels, right, names)
        directory.write_frame("multiplications.csv", tables.multiplications(self.costs, actions))
        directory.write_frame("actions.csv", tables.action_shares(self.decisions, actions))
        directory.write_frame("classes.csv", by_class)
        draw_learning(pd.DataFrame(self._state.history), directory / "learning.svg")
        share = self.costs.images(actions) / self.costs.original
        titles = tables.class_titles(self.labels, names)
        draw_examples(self.images, share, titles, directory / "examples.svg")
        latency = attempt(lambda: self._latency(directory))
        if isinstance(latency, Failed):
            return (f"The latency was not measured: {latency}",)
        directory.write_frame("latency.csv", latency)
        return ()

    def _latency(self, directory: RunDirectory) -> pd.DataFrame:
        """The model's files beside the original's; those that the run has not are made for it."""
        images = self.images[:_TIMED]
        with tempfile.TemporaryDirectory() as folder:
            dense, pruned = Path(folder) / "dense", Path(folder) / "pruned"
            dense.mkdir()
            pruned.mkdir()
            pairs: dict[str | Path, str | Path] = {}
            for name in _EXPORTS:
                own: str | Path = directory / name
                if not Path(own).exists():
                    own = export(self._model, pruned / name, batch=images).path
                pairs[export(self._context.model, dense / name).path] = own
            return compare_latency(
                pairs, images, batch_sizes=_BATCHES, watcher=self._context.observers.progress
            )

    def _figures(self, after: ModelFigures) -> ModelFigures:
        macs = self.costs.others + int(self.costs.images(self._found.actions).mean())
        parameters = self._model.count_params()
        return replace(
            after, macs=macs, flops=2 * macs, parameters=parameters, bytes=4 * parameters
        )

    def _notes(self) -> tuple[str, ...]:
        share = 100 * self.costs.share(self._found.actions)
        full = np.full_like(self._found.actions, self._config.sets - 1)
        whole = self.evaluator.forced(self.images, self.labels, full)
        return (
            f"Pruned model contains {share:.2f} % of the original's multiplications, those of the "
            f"decisions included, for one {self.split} image on average.",
            f"At full width the fine-tuned network has {whole.accuracy:.2f} % of the {self.split} "
            "right.",
            f"alpha = {self._state.extra['alpha']:.4g} in the last step's rewards.",
        )


def _examples(task: Task) -> tuple[str, np.ndarray, np.ndarray]:
    """The test examples, or validation examples where there are none."""
    split = "test"
    try:
        images, labels, _ = task.examples(split)
    except DataError:
        split = "validation"
        images, labels, _ = task.examples(split)
    return split, images, labels.reshape(-1)
