"""A whole run from a configuration: data, baseline, pruning, report."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from keras_prune import zoo
from keras_prune.data import Splits
from keras_prune.errors import ConfigError, ResultWarning
from keras_prune.methods.base import Method
from keras_prune.methods.config import RunConfig, plain
from keras_prune.methods.registry import entry
from keras_prune.methods.run import Phase, run_method
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.runtimes.loading import load_classifier, load_model
from keras_prune.tracking import Observers
from keras_prune.training import Task, baseline
from keras_prune.training.source import is_file, open_data, open_file
from keras_prune.utils.config import to_toml
from keras_prune.utils.reasons import reason

_EXPORTS = ("saved_model", "model.tflite")
_BASELINE, _EPOCHS = "baseline.keras", "training.csv"

Rows = list[dict[str, Any]]


def run_from_config(
    config: RunConfig,
    directory: RunDirectory,
    *,
    data_dir: str | Path | None = None,
    weights: str | Path | None = None,
    observers: Observers | None = None,
    workers: int = 1,
    stage: Phase | None = None,
) -> PruningReport | None:
    """Carries out a configuration; goes on where a killed run has stopped.

    Args:
        config: the whole configuration.
        directory: where everything is written.
        data_dir: where the data sets lie; default `TFDS_DATA_DIR`.
        weights: a trained `.keras` file; default that of the configuration, or a baseline is
            trained, or taken from the cache.
        observers: told of everything.
        workers: processes that measure candidates.
        stage: carry out `"train"` (the baseline), `"prune"` or `"test"` (the report) alone; each
            starts from what the one before it left in the directory. Default: all.

    Returns:
        The report, as written to `report.json`; None where the run ends before it.

    Raises:
        KerasPruneError: data, weights, configuration or directory cannot be used.
    """
    told, started = observers or Observers(), time.monotonic()
    _check_stage(directory, stage)
    _refuse_former(directory)
    method, common = method_of(config), config.common
    with directory.locked():
        directory.write_text("config.toml", to_toml(config))
        model, splits, rows = _opened(config, method, directory, data_dir, weights, told)
        if stage == "train":
            return None
        result = run_method(
            method,
            model,
            Task(splits),
            seed=common.seed,
            directory=directory,
            precision=common.precision,
            deterministic=common.deterministic,
            workers=workers,
            observers=told,
            exports=_EXPORTS,
            about={"model": common.model, "dataset": common.dataset, "config": plain(config)},
            trained=rows,
            seconds=time.monotonic() - started,
            until="prune" if stage == "prune" else None,
        )
    return None if result is None else result.report


def method_of(config: RunConfig) -> Method:
    """The method of a configuration, with its trainings."""
    return entry(config.method).load_method()(
        config.prune,
        recovery=config.recovery,
        finetune=config.finetune,
        distillation=config.distillation,
        sparse_training=config.sparse_training,
    )


def _opened(
    config: RunConfig,
    method: Method,
    directory: RunDirectory,
    data_dir: str | Path | None,
    weights: str | Path | None,
    observers: Observers,
) -> tuple[keras.Model, Splits, Rows]:
    """The baseline, the data, and the epochs of the baseline's training if this run has it."""
    common = config.common
    model: keras.Model | None = None
    if is_file(common):
        model, splits = open_file(common, data_dir)
    else:
        splits = open_data(common, data_dir)
    if (directory / _BASELINE).exists():  # of an earlier stage, or of a run that was killed
        return load_model(directory / _BASELINE), splits, _earlier(directory)
    if weights or common.weights:
        given = weights or common.weights
        model = load_classifier(str(given), splits.input_shape, splits.num_classes)
    fresh = model or zoo.build(common.model, splits.input_shape, splits.num_classes)
    method.check(fresh, Task(splits).bind(fresh))
    rows: Rows = []
    if model is None:
        model, rows = _trained(config, splits, observers)
        directory.write_frame(_EPOCHS, pd.DataFrame(rows))
    directory.save_model(_BASELINE, model)
    return model, splits, rows


def _trained(config: RunConfig, splits: Splits, observers: Observers) -> tuple[keras.Model, Rows]:
    common = config.common
    model, rows = baseline(
        common.model,
        splits,
        config.train,
        seed=common.seed,
        precision=common.precision,
        deterministic=common.deterministic,
        observers=observers,
    )
    return model, [{"stage": f"train {common.model}", **row} for row in rows]


def _earlier(directory: RunDirectory) -> Rows:
    """The epochs of the baseline's training that an earlier process has written."""
    path = directory / _EPOCHS
    if not path.exists():  # the weights were given
        return []
    try:
        rows = pd.read_csv(path, dtype={"stage": str}).to_dict("records")
        if not all("stage" in row for row in rows):
            raise ValueError("it has no column of stages")
    except ValueError as error:  # so do pandas' errors and those of Unicode descend
        warnings.warn(
            f"{path} is damaged ({reason(error)}): the epochs of the baseline's training are lost.",
            ResultWarning,
            stacklevel=2,
        )
        return []
    return [
        {str(name): value for name, value in row.items() if value == value}  # an empty cell is NaN
        for row in rows
        if str(row["stage"]).startswith("train ")
    ]


def _refuse_former(directory: RunDirectory) -> None:
    """Refuses a search that version 0.1 has left half-way: its state has another form."""
    if (directory / "search" / "state.json").exists():
        raise ConfigError(
            f"The run in {directory.path} was begun with version 0.1 of keras-prune, whose state "
            "this version cannot read. Carry out its config.toml with another --out."
        )


def _check_stage(directory: RunDirectory, stage: Phase | None) -> None:
    """Refuses a stage that lacks what it starts from."""
    if stage in ("prune", "test") and not (directory / _BASELINE).exists():
        raise ConfigError(
            f"Stage {stage} starts from {directory / _BASELINE}, which does not exist. Run --stage "
            "train first."
        )
    if stage == "test" and not (directory / "state").is_dir():
        raise ConfigError(
            f"Stage test starts from {directory / 'state'}, which does not exist. Run --stage "
            "prune first."
        )
