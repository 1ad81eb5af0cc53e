"""Keras' own training loop on a model that stays uncompiled."""

from collections.abc import Iterable
from dataclasses import dataclass

import keras

from keras_prune.data import Splits
from keras_prune.progress import Watcher, percent, silent
from keras_prune.training.classifier import cross_entropy, sharing_layers
from keras_prune.training.config import TrainingConfig
from keras_prune.training.distillation import DistillationConfig, Distilling
from keras_prune.training.optimizer import optimizer
from keras_prune.training.precision import computing_in
from keras_prune.training.watching import Watching

Row = dict[str, float]


@dataclass(frozen=True)
class History:
    """What a training went through.

    Args:
        rows: per epoch `epoch` (from 1), `loss`, `accuracy` (percent), and if the validation
            split was looked at, `val_loss` and `val_accuracy` (percent). Losses are those that
            were trained on, label smoothing included.
    """

    rows: tuple[Row, ...]


def fit(
    model: keras.Model,
    splits: Splits,
    config: TrainingConfig,
    *,
    seed: int,
    precision: str = "float32",
    watcher: Watcher = silent,
    stage: str = "train",
    callbacks: Iterable[keras.callbacks.Callback] = (),
    validate: bool = False,
    teacher: keras.Model | None = None,
    distillation: DistillationConfig | None = None,
) -> History:
    """Train a classifier in place.

    Args:
        model: functional or sequential, `(batch, ...)` to `(batch, classes)`. Its weights change;
            it is not compiled, so that a saved file holds no trace of the training.
        splits: the data; only the training split is seen, and the validation split if asked for.
        config: how to train.
        seed: of Python, NumPy and TensorFlow, and of the order and moves of the images.
        precision: `"float32"`, or `"mixed_bfloat16"` to compute in bfloat16 with float32 weights.
        watcher: told of every few steps.
        stage: what the watcher calls this training.
        callbacks: further Keras callbacks.
        validate: evaluate on the validation split after every epoch.
        teacher: a classifier of the same inputs and classes to learn from beside the labels, for
            example the unpruned model; it is not changed.
        distillation: how much it counts; default `DistillationConfig()`.

    Returns:
        The `History`.

    Raises:
        ModelError: the teacher has other inputs or classes.

    Example:

    >>> from keras_prune import data, zoo
    >>> splits = data.load("digits", input_shape=(28, 28, 1))
    >>> config = TrainingConfig(epochs=1, learning_rate=0.01)
    >>> [row["epoch"] for row in fit(zoo.lenet5(), splits, config, seed=0).rows]
    [1]
    """
    keras.utils.set_random_seed(seed)
    steps = steps_in_epoch(config, splits)
    # A model of the same layers takes the optimizer, so that the given one stays uncompiled.
    trainer = _trainer(model, teacher, distillation or DistillationConfig())
    trainer.compile(
        optimizer=optimizer(config, steps * config.epochs, model),
        loss=cross_entropy(model, config.label_smoothing),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    with computing_in(precision, *([model] if teacher is None else [model, teacher])):
        history = trainer.fit(
            splits.training(seed).repeat(),
            epochs=config.epochs,
            steps_per_epoch=steps,
            validation_data=splits.validation if validate else None,
            callbacks=[Watching(watcher, stage), *callbacks],
            shuffle=False,  # The pipeline has done it.
            verbose=0,
        )
    return History(epoch_rows(history))


def _trainer(
    model: keras.Model, teacher: keras.Model | None, distillation: DistillationConfig
) -> keras.Model:
    if teacher is None:
        return sharing_layers(model)
    return Distilling(model, teacher, distillation)


def steps_in_epoch(config: TrainingConfig, splits: Splits) -> int:
    """Batches in an epoch: as many as are asked for, or one pass over the training split."""
    return config.steps_per_epoch or splits.sizes["train"] // splits.batch_size


def epoch_rows(history: keras.callbacks.History) -> tuple[Row, ...]:
    """What Keras has measured, a row per epoch as `History` has them."""
    return tuple(
        {"epoch": epoch + 1}
        | percent({name: values[index] for name, values in history.history.items()})
        for index, epoch in enumerate(history.epoch)
    )
