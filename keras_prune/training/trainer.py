"""A training in place, on a model that stays uncompiled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import keras
import tensorflow as tf

from keras_prune.data import Splits
from keras_prune.errors import ConfigError, DataError
from keras_prune.training.checkpoint import Checkpoint, Row
from keras_prune.training.classifier import sharing_layers
from keras_prune.training.config import DistillationConfig, TrainingConfig
from keras_prune.training.determinism import fix_order
from keras_prune.training.distillation import Distilling
from keras_prune.training.evaluation import by_pipeline, misfit
from keras_prune.training.loop import run_epochs
from keras_prune.training.optimizer import optimizer
from keras_prune.training.precision import computing_in
from keras_prune.training.progress_callback import ProgressCallback
from keras_prune.training.short_memory import in_batches_that_fit
from keras_prune.training.task import Task
from keras_prune.utils.progress import Watcher, percent, silent

_MOST_STEPS = 2**31
"""As TensorFlow counts."""


@dataclass(frozen=True)
class History:
    """What a training went through.

    Args:
        rows: per epoch `epoch` (from 1), `loss` and the task's metrics, and if the validation data
            were looked at, the same with `val_` before; accuracies in percent. Losses are those
            that were trained on, label smoothing included.
    """

    rows: tuple[Row, ...]


def fit(
    model: keras.Model,
    task: Task | Splits,
    config: TrainingConfig,
    *,
    seed: int,
    precision: str = "float32",
    deterministic: bool = False,
    watcher: Watcher = silent,
    stage: str = "train",
    callbacks: Iterable[keras.callbacks.Callback] = (),
    validate: bool = False,
    teacher: keras.Model | None = None,
    distillation: DistillationConfig | None = None,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train a model in place.

    Args:
        model: its weights change; it is not compiled, so that a saved file holds no trace of the
            training.
        task: data, loss and metrics; only the training data are seen, and the validation data if
            asked for. A data set of `kp.data.load` is a task, too.
        config: how to train.
        seed: of Python, NumPy and TensorFlow, and of the order and moves of the examples.
        precision: `"float32"`, or `"mixed_bfloat16"` to compute in bfloat16 with float32 weights.
        deterministic: whether threads compute in a fixed order; from then on the process does.
        watcher: told of every few steps.
        stage: what the watcher calls this training.
        callbacks: Keras callbacks beside those of the task.
        validate: evaluate on the validation data after every epoch.
        teacher: a classifier of the same inputs and classes to learn from beside the labels, for
            example the unpruned model; it is not changed.
        distillation: how much it counts; default `DistillationConfig()`.
        checkpoint: where an earlier attempt may have left off, and this one is saved.

    Returns:
        The `History`.

    Raises:
        ModelError: the teacher has other inputs or classes.
        ConfigError: the loss does not fit, or becomes NaN.
        DataError: the data end early.

    Warns:
        ResultWarning: a batch did not fit into memory; all were halved.

    Example:

    >>> from keras_prune import data, zoo
    >>> splits = data.load("digits", input_shape=(28, 28, 1))
    >>> config = TrainingConfig(epochs=1, learning_rate=0.01)
    >>> [row["epoch"] for row in fit(zoo.lenet5(), splits, config, seed=0).rows]
    [1]
    """
    if deterministic:
        fix_order()
    task, begun = as_task(task, model), model.get_weights()
    told = [ProgressCallback(watcher, stage), *callbacks, *task.callbacks()]
    if task.own_fit is not None:
        keras.utils.set_random_seed(seed)
        return _own(task, model, config, told)

    def rows(task: Task) -> list[Row]:
        keras.utils.set_random_seed(seed)
        steps = config.steps_per_epoch or task.steps
        if steps * config.epochs >= _MOST_STEPS:
            raise ConfigError(
                f"A training of {config.epochs} epochs of {steps} steps is too long: expected "
                f"fewer than {_MOST_STEPS:,} steps."
            )
        # A model of the same layers takes the optimizer, so that the given one stays uncompiled.
        trainer = _trainer(model, teacher, distillation or DistillationConfig())
        compiled = task.compiled(model, config.label_smoothing)
        trainer.compile(optimizer(config, steps * config.epochs, model), **compiled.arguments())
        models = [model] if teacher is None else [model, teacher]
        with computing_in(precision, *models):
            return run_epochs(
                trainer,
                lambda start: task.batches(seed, start),
                epochs=config.epochs,
                steps=steps,
                callbacks=told,
                validation=task.split("validation") if validate else None,
                checkpoint=checkpoint,
            )

    try:
        found = in_batches_that_fit(
            task, "train", rows, f"the training {stage!r}", lambda: model.set_weights(begun)
        )
    except tf.errors.OpError as error:
        raise _explained(error) from error
    except (ValueError, TypeError) as error:
        raise ConfigError(misfit(model, error)) from error
    return History(tuple(found))


def as_task(given: Task | Splits, model: keras.Model) -> Task:
    """A task that is bound, from one that may not be, or from a data set."""
    task = given if isinstance(given, Task) else Task(given)
    return task if task.is_bound else task.bind(model)


def _own(
    task: Task,
    model: keras.Model,
    config: TrainingConfig,
    callbacks: list[keras.callbacks.Callback],
) -> History:
    """What the user's own function does."""
    assert task.own_fit is not None
    for callback in callbacks:
        callback.set_model(model)
    found = task.own_fit(model, config, callbacks)
    return History(epoch_rows(found) if isinstance(found, keras.callbacks.History) else ())


def _trainer(
    model: keras.Model, teacher: keras.Model | None, distillation: DistillationConfig
) -> keras.Model:
    if teacher is None:
        return sharing_layers(model)
    return Distilling(model, teacher, distillation)


def _explained(error: tf.errors.OpError) -> Exception:
    """What went wrong inside a pipeline, in one line."""
    reason = " ".join(error.message.split())[:300]
    return DataError(by_pipeline(error) or f"The training data or the model failed: {reason}")


def epoch_rows(history: keras.callbacks.History) -> tuple[Row, ...]:
    """What Keras has measured, a row per epoch as `History` has them."""
    return tuple(
        {"epoch": epoch + 1}
        | percent({name: values[index] for name, values in history.history.items()})
        for index, epoch in enumerate(history.epoch)
    )
