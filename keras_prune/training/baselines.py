"""Trained reference networks, kept in a cache keyed by everything that made them."""

import hashlib
import re
from dataclasses import asdict
from typing import Any

import keras

from keras_prune import zoo
from keras_prune.data import Splits
from keras_prune.tracking import Observers
from keras_prune.training.cache import CacheEntry, Trained
from keras_prune.training.checkpoint import Checkpoint
from keras_prune.training.config import TrainingConfig
from keras_prune.training.trainer import fit


def baseline(
    model_name: str,
    splits: Splits,
    config: TrainingConfig,
    *,
    seed: int,
    precision: str = "float32",
    deterministic: bool = False,
    observers: Observers | None = None,
) -> Trained:
    """A network of the zoo, trained on a data set, from the cache if it was made before.

    The cache is the folder `KERAS_PRUNE_CACHE`, else `keras-prune` in `XDG_CACHE_HOME` or
    `~/.cache`. A `.json` beside every model says what made it. A training that was killed goes on
    where it was saved last. What lies there damaged is set aside, and the network made anew.

    Args:
        model_name: a name of `zoo.available()`.
        splits: the data; the validation split is evaluated after every epoch.
        config: how to train.
        seed: of weights and training.
        precision: what the training computes in, as in `fit`.
        deterministic: whether threads compute in a fixed order, as in `fit`.
        observers: told of every step and epoch, also of those of an earlier run.

    Returns:
        The model, and a row per epoch as in `History`.

    Raises:
        ConfigError: the cache cannot be written, or the training ends in NaN.
    """
    told = observers or Observers()
    data_name = re.sub(r"\W+", "-", splits.name)  # it may be a path
    made_by = _made_by(model_name, splits, config, seed, precision)
    if deterministic:  # what was trained before there was the choice stays in the cache
        made_by["deterministic"] = True
    entry = CacheEntry(f"{model_name}-{data_name}", made_by)
    stage = f"train {model_name}"
    with entry.held():
        found = entry.load()
        if found is not None:
            told.past(stage, found[1])
            return found
        keras.utils.set_random_seed(seed)
        model = zoo.build(model_name, splits.input_shape, splits.num_classes)
        checkpoint = Checkpoint(entry.partial, entry.name)
        history = fit(
            model,
            splits,
            config,
            seed=seed,
            precision=precision,
            deterministic=deterministic,
            watcher=told.progress,
            stage=stage,
            callbacks=told.training(stage, past=checkpoint.rows),
            validate=True,
            checkpoint=checkpoint,
        )
        entry.save(model, history.rows)
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
