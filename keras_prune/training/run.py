"""One training from the data to the report."""

import time
from pathlib import Path

import keras
import pandas as pd

from keras_prune import zoo
from keras_prune.config import to_dict, to_toml
from keras_prune.data import Splits
from keras_prune.progress import Watcher, silent
from keras_prune.reporting import RunDirectory, TrainingReport, peak_memory_mb
from keras_prune.tracking import Tracker, untracked
from keras_prune.training.figures import figures
from keras_prune.training.fit import fit
from keras_prune.training.opening import is_file, open_data, open_file
from keras_prune.training.recipe import CommonConfig, TrainRecipe


def train(
    recipe: TrainRecipe,
    run: RunDirectory,
    *,
    data_dir: str | Path | None = None,
    watcher: Watcher = silent,
    tracker: Tracker = untracked,
) -> TrainingReport:
    """Trains a network of the zoo, or goes on with a `.keras` file, and reports.

    Args:
        recipe: the whole configuration.
        run: where `model.keras`, `history.csv`, `config.toml` and `report.json` are written.
        data_dir: where the data sets lie; default `TFDS_DATA_DIR`.
        watcher: told of every few steps.
        tracker: told of every epoch, and of the report.

    Returns:
        The report, as written to `report.json`.

    Raises:
        KerasPruneError: the data, the model or the configuration cannot be used.
    """
    started, common = time.monotonic(), recipe.common
    keras.utils.set_random_seed(common.seed)
    model, splits = _opened(common, data_dir)
    history = fit(
        model,
        splits,
        recipe.train,
        seed=common.seed,
        precision=common.precision,
        watcher=watcher,
        callbacks=tracker.training("train"),
        validate=True,
    )
    # All that was won is on disk before the test split is read.
    run.save_model("model.keras", model)
    run.write_text("config.toml", to_toml(recipe))
    run.write_frame("history.csv", pd.DataFrame(history.rows))
    report = TrainingReport(
        model=common.model,
        dataset=common.dataset,
        seed=common.seed,
        config=to_dict(recipe),
        class_names=splits.class_names,
        figures=figures(model, splits.test, history.rows[-1]["val_accuracy"]),
        seconds=time.monotonic() - started,
        peak_memory_mb=peak_memory_mb(),
    )
    run.write_json("report.json", report.to_dict())
    tracker.final(report.figures)
    return report


def _opened(common: CommonConfig, data_dir: str | Path | None) -> tuple[keras.Model, Splits]:
    """The network, and the data in the shape of its input."""
    if is_file(common):
        return open_file(common, data_dir)
    splits = open_data(common, data_dir)
    return zoo.build(common.model, splits.input_shape, splits.num_classes), splits
