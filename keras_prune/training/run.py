"""One training from the data to the report."""

import json
import time
from pathlib import Path

import keras
import pandas as pd

from keras_prune import zoo
from keras_prune.data import Splits
from keras_prune.errors import ConfigError
from keras_prune.reporting import (
    RunDirectory,
    TrainingReport,
    model_figures,
    peak_memory_mb,
)
from keras_prune.tracking import Observers
from keras_prune.training.checkpoint import Checkpoint
from keras_prune.training.config import CommonConfig, TrainRecipe
from keras_prune.training.identity import fingerprint
from keras_prune.training.source import is_file, open_data, open_file
from keras_prune.training.task import Task
from keras_prune.training.trainer import fit
from keras_prune.utils.config import load, to_dict, to_toml


def train(
    recipe: TrainRecipe,
    run: RunDirectory,
    *,
    data_dir: str | Path | None = None,
    observers: Observers | None = None,
) -> TrainingReport:
    """Trains a network of the zoo, or goes on with a `.keras` file, and reports.

    A training that was killed in the same directory goes on where it was saved last.

    Args:
        recipe: the whole configuration.
        run: where `model.keras`, `history.csv`, `config.toml` and `report.json` are written.
        data_dir: where the data sets lie; default `TFDS_DATA_DIR`.
        observers: told of every step and epoch, and of the report.

    Returns:
        The report, as written to `report.json`.

    Raises:
        KerasPruneError: the data, the model or the configuration cannot be used.
    """
    told = observers or Observers()
    with run.locked():
        if (run / "report.json").exists():
            return _finished(recipe, run)
        return _trained(recipe, run, data_dir, told)


def _finished(recipe: TrainRecipe, run: RunDirectory) -> TrainingReport:
    """The report of a training that has ended, if it is the one that is asked for."""
    found = run.read_report(TrainingReport)
    if load(TrainRecipe, found.config) != recipe:
        raise ConfigError(
            f"The training in {run.path} has ended, and was one with another configuration. Give "
            "another directory."
        )
    return found


def _trained(
    recipe: TrainRecipe, run: RunDirectory, data_dir: str | Path | None, observers: Observers
) -> TrainingReport:
    started, common = time.monotonic(), recipe.common
    keras.utils.set_random_seed(common.seed)
    model, splits = _opened(common, data_dir)
    task = Task(splits).bind(model)
    run.write_text("config.toml", to_toml(recipe))
    (run / "state").mkdir(exist_ok=True)  # from now on it is known for a run's
    identity = json.dumps([to_dict(recipe), task.identity(), fingerprint(model)], sort_keys=True)
    checkpoint = Checkpoint(run / "state", identity)
    history = fit(
        model,
        task,
        recipe.train,
        seed=common.seed,
        precision=common.precision,
        deterministic=common.deterministic,
        watcher=observers.progress,
        callbacks=observers.training("train", past=checkpoint.rows),
        validate=True,
        checkpoint=checkpoint,
    )
    # All that was won is on disk before the test split is read.
    run.save_model("model.keras", model)
    run.write_frame("history.csv", pd.DataFrame(history.rows))
    reached = history.rows[-1]["val_accuracy"]
    report = TrainingReport(
        model=common.model,
        dataset=common.dataset,
        seed=common.seed,
        config=to_dict(recipe),
        class_names=splits.class_names,
        figures=model_figures(model, task.evaluate(model, "test"), "accuracy", reached),
        seconds=time.monotonic() - started,
        peak_memory_mb=peak_memory_mb(),
    )
    run.write_json("report.json", report.to_dict())
    run.remove("state")
    observers.final(report.figures)
    return report


def _opened(common: CommonConfig, data_dir: str | Path | None) -> tuple[keras.Model, Splits]:
    """The network, and the data in the shape of its input."""
    if is_file(common):
        return open_file(common, data_dir)
    splits = open_data(common, data_dir)
    return zoo.build(common.model, splits.input_shape, splits.num_classes), splits
