"""Trained reference networks, kept in a cache keyed by everything that made them."""

import hashlib
import json
import os
import re
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
from filelock import FileLock

from keras_prune import zoo
from keras_prune.data import Splits
from keras_prune.tracking import Observers
from keras_prune.training.checkpoint import Checkpoint, Row
from keras_prune.training.config import TrainingConfig
from keras_prune.training.trainer import fit
from keras_prune.utils.files import whole_file, write_text

Trained = tuple[keras.Model, tuple[Row, ...]]


def baseline(
    model_name: str,
    splits: Splits,
    config: TrainingConfig,
    *,
    seed: int,
    precision: str = "float32",
    observers: Observers | None = None,
) -> Trained:
    """A network of the zoo, trained on a data set, from the cache if it was made before.

    The cache is the folder `KERAS_PRUNE_CACHE`, else `keras-prune` in `XDG_CACHE_HOME` or
    `~/.cache`. A `.json` beside every model says what made it. A training that was killed goes on
    where it was saved last.

    Args:
        model_name: a name of `zoo.available()`.
        splits: the data; the validation split is evaluated after every epoch.
        config: how to train.
        seed: of weights and training.
        precision: what the training computes in, as in `fit`.
        observers: told of every step and epoch, also of those of an earlier run.

    Returns:
        The model, and a row per epoch as in `History`.
    """
    told = observers or Observers()
    made_by = _made_by(model_name, splits, config, seed, precision)
    data_name = re.sub(r"\W+", "-", splits.name)  # it may be a path
    stem = _cache() / f"{model_name}-{data_name}-{_digest(made_by)}"
    stem.parent.mkdir(parents=True, exist_ok=True)
    # Another process that makes the same network is waited for.
    lock = stem.with_suffix(".lock")
    with FileLock(lock):
        try:
            return _kept(stem, f"train {model_name}", told) or _made(
                model_name, splits, config, seed, precision, stem, made_by, told
            )
        finally:
            lock.unlink(missing_ok=True)


def _kept(stem: Path, stage: str, observers: Observers) -> Trained | None:
    """The network from the cache, if it is there."""
    model_file, note_file = stem.with_suffix(".keras"), stem.with_suffix(".json")
    if not (model_file.exists() and note_file.exists()):
        return None
    rows = json.loads(note_file.read_text())["history"]
    observers.past(stage, rows)
    return keras.models.load_model(model_file), tuple(rows)


def _made(
    model_name: str,
    splits: Splits,
    config: TrainingConfig,
    seed: int,
    precision: str,
    stem: Path,
    made_by: dict[str, Any],
    observers: Observers,
) -> Trained:
    """The network trained, and put into the cache."""
    stage, partial = f"train {model_name}", stem.with_suffix(".partial")
    keras.utils.set_random_seed(seed)
    model = zoo.build(model_name, splits.input_shape, splits.num_classes)
    checkpoint = Checkpoint(partial, stem.name)
    history = fit(
        model,
        splits,
        config,
        seed=seed,
        precision=precision,
        watcher=observers.progress,
        stage=stage,
        callbacks=observers.training(stage, past=checkpoint.rows),
        validate=True,
        checkpoint=checkpoint,
    )
    with whole_file(stem.with_suffix(".keras")) as draft:
        model.save(draft)
    note = {"made_by": made_by, "history": history.rows}
    write_text(stem.with_suffix(".json"), json.dumps(note, indent=2))
    shutil.rmtree(partial, ignore_errors=True)
    return model, history.rows


def _made_by(
    model_name: str, splits: Splits, config: TrainingConfig, seed: int, precision: str
) -> dict[str, Any]:
    images, _ = splits.validation_arrays(limit=splits.batch_size)
    training = asdict(config)
    if config.optimizer == "sgd":  # what version 0.1 trained stays in the cache; it had no other
        del training["optimizer"]
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
        "training": training,
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
