"""What a run leaves behind beside its report: tables, and every form that may be smaller."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd

from keras_prune.benchmarking import export_sparse, forms_frame
from keras_prune.errors import DataError
from keras_prune.exporting import Failed, attempt
from keras_prune.methods.magnitude.config import MagnitudeConfig
from keras_prune.methods.magnitude.tables import as_markdown, summary
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.training import Task
from keras_prune.training.calibration import in_order

_JUDGED = 1000
"""Validation examples that the forms of the sparse network are compared and calibrated on."""


@dataclass(frozen=True)
class Sparse:
    """The network of the original's shapes, many of whose weights are zero.

    Args:
        model: the network.
        tables: what `layer_tables` says of the original and of it.
    """

    model: keras.Model
    tables: Mapping[str, pd.DataFrame]


def write(
    directory: RunDirectory,
    sparse: Sparse,
    report: PruningReport,
    task: Task,
    config: MagnitudeConfig,
) -> tuple[str, ...]:
    """Writes `sparse.keras`, the tables, `files` and `sizes.csv`, in the place of earlier ones.

    Args:
        directory: where.
        sparse: the network with zeros.
        report: where the summary takes the objective from.
        task: bound; its validation examples judge the forms.
        config: how the forms are measured.

    Returns:
        What the reader of the report should know.
    """
    directory.save_model("sparse.keras", sparse.model)
    totals = summary(sparse.tables, report)
    for cost, table in sparse.tables.items():
        directory.write_frame(f"{cost}.csv", table)
    directory.write_frame("summary.csv", totals)
    directory.write_text("tables.md", as_markdown(sparse.tables, totals))
    made = attempt(lambda: _write_forms(directory, sparse.model, task, config))
    if not isinstance(made, Failed):
        return ()
    shutil.rmtree(directory / ".files", ignore_errors=True)
    again = f"keras-prune export {directory / 'sparse.keras'} --sparse --out {directory / 'files'}"
    return (f"Not exported: {directory / 'files'}: {made} To try again: {again}",)


def _write_forms(
    directory: RunDirectory, model: keras.Model, task: Task, config: MagnitudeConfig
) -> None:
    inputs, truth = _examples(task, model)
    draft, folder = directory / ".files", directory / "files"
    shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed in here
    forms = export_sparse(
        model,
        draft,
        representative=inputs,
        batch=inputs,
        truth=truth,
        values=config.values,
        turns=config.turns,
    )
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(draft, folder)
    directory.write_frame("sizes.csv", forms_frame(forms))


def _examples(task: Task, model: keras.Model) -> tuple[list[np.ndarray] | None, np.ndarray | None]:
    """Inputs in the model's order, and the true classes where there are any."""
    try:
        inputs, labels, _ = task.examples("validation", _JUDGED)
    except DataError:  # the task measures by a function of its own
        return None, None
    return in_order(inputs, model.inputs), np.reshape(labels, -1) if task.classes else None
