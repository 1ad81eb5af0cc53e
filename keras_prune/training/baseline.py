"""Trained reference networks, kept in a cache keyed by everything that made them."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras

from keras_prune import zoo
from keras_prune.data import Splits
from keras_prune.progress import Watcher, percent, silent
from keras_prune.tracking import Tracker, untracked
from keras_prune.training.config import TrainingConfig
from keras_prune.training.fit import Row, fit
from keras_prune.writing import whole_file, write_text


def baseline(
    model_name: str,
    splits: Splits,
    config: TrainingConfig,
    *,
    seed: int,
    precision: str = "float32",
    watcher: Watcher = silent,
    tracker: Tracker = untracked,
) -> tuple[keras.Model, tuple[Row, ...]]:
    """A network of the zoo, trained on a data set, from the cache if it was made before.

    The cache is the folder `KERAS_PRUNE_CACHE`, else `keras-prune` in `XDG_CACHE_HOME` or
    `~/.cache`. A `.json` beside every model says what made it. A training that was killed goes on
    after its last whole epoch.

    Args:
        model_name: a name of `zoo.available()`.
        splits: the data; the validation split is evaluated after every epoch.
        config: how to train.
        seed: of weights and training.
        precision: what the training computes in, as in `fit`.
        watcher: told of every few steps.
        tracker: told of every epoch, also of those of an earlier run.

    Returns:
        The model, and a row per epoch as in `History`.
    """
    made_by = _made_by(model_name, splits, config, seed, precision)
    data_name = re.sub(r"\W+", "-", splits.name)  # it may be a path
    stem = _cache() / f"{model_name}-{data_name}-{_digest(made_by)}"
    model_file, note_file = stem.with_suffix(".keras"), stem.with_suffix(".json")
    if model_file.exists() and note_file.exists():
        rows = json.loads(note_file.read_text())["history"]
        tracker.past(_stage(model_name), rows)
        return keras.models.load_model(model_file), tuple(rows)

    partial = stem.with_suffix(".partial")
    model, rows = _train(model_name, splits, config, seed, precision, partial, watcher, tracker)
    with whole_file(model_file) as draft:
        model.save(draft)
    write_text(note_file, json.dumps({"made_by": made_by, "history": rows}, indent=2))
    shutil.rmtree(partial)
    return model, rows


def _made_by(
    model_name: str, splits: Splits, config: TrainingConfig, seed: int, precision: str
) -> dict[str, Any]:
    images, _ = splits.validation_arrays(limit=splits.batch_size)
    return {
        "model": model_name,
        "input_shape": list(splits.input_shape),
        "num_classes": splits.num_classes,
        "data": splits.name,
        "sizes": dict(splits.sizes),
        # Two copies of a data set may differ, as recompressed images do.
        "validation_images": hashlib.sha256(images.tobytes()).hexdigest()[:12],
        "augmentation": splits.augmentation and asdict(splits.augmentation),
        "batch_size": splits.batch_size,
        "training": asdict(config),
        "seed": seed,
        "precision": precision,
    }


def _digest(made_by: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(made_by, sort_keys=True).encode()).hexdigest()[:12]


def _cache() -> Path:
    named = os.environ.get("KERAS_PRUNE_CACHE")
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "keras-prune"


def _train(
    model_name: str,
    splits: Splits,
    config: TrainingConfig,
    seed: int,
    precision: str,
    partial: Path,
    watcher: Watcher,
    tracker: Tracker,
) -> tuple[keras.Model, tuple[Row, ...]]:
    """Train, keeping in the folder `partial` what it takes to go on after a kill."""
    keras.utils.set_random_seed(seed)
    model = zoo.build(model_name, splits.input_shape, splits.num_classes)
    partial.mkdir(parents=True, exist_ok=True)
    log = _Log(partial / "history.jsonl")
    stage = _stage(model_name)
    tracker.past(stage, log.rows())
    callbacks = [
        log,
        *tracker.training(stage),
        keras.callbacks.BackupAndRestore(partial, double_checkpoint=True, delete_checkpoint=False),
    ]
    fit(
        model,
        splits,
        config,
        seed=seed,
        precision=precision,
        watcher=watcher,
        stage=stage,
        callbacks=callbacks,
        validate=True,
    )
    return model, log.rows()


def _stage(model_name: str) -> str:
    return f"train {model_name}"


class _Log(keras.callbacks.Callback):
    """Appends every epoch to a file of JSON lines, which a later attempt goes on with."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        file.touch()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"epoch": epoch + 1} | percent(logs or {})) + "\n")

    def rows(self) -> tuple[Row, ...]:
        """The epochs of all attempts; one that was killed before its backup counts once."""
        rows = map(json.loads, self._file.read_text(encoding="utf-8").splitlines())
        return tuple({row["epoch"]: row for row in rows}.values())
