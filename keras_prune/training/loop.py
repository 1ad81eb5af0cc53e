"""Keras' training loop on an endless stream of batches, which can begin at any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_prune.training.checkpoint import Checkpoint, Position, Row, variables_of
from keras_prune.training.good_weights import GoodWeights
from keras_prune.utils.progress import percent

Batches = Callable[[int], tf.data.Dataset]
"""`start -> endless batches, from that one on`."""


def run_epochs(
    trainer: keras.Model,
    batches: Batches,
    *,
    epochs: int,
    steps: int,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    validation: tf.data.Dataset | None = None,
    checkpoint: Checkpoint | None = None,
) -> list[Row]:
    """Trains a compiled model as `fit` does.

    Args:
        trainer: the compiled model.
        batches: the data.
        epochs: how many.
        steps: batches in each.
        callbacks: told what `fit` tells them.
        validation: evaluated after every epoch.
        checkpoint: where an earlier attempt may have left off, and this one is saved.

    Returns:
        Per epoch `epoch` (from 1) and what was measured, accuracies in percent.

    Raises:
        ConfigError: the loss or a weight became NaN or infinite. The model has the weights of the
            end of the epoch before again, or those it began with.
    """
    position = Position(steps=steps)
    trainer.optimizer.build(trainer.trainable_variables)
    found = checkpoint.load() if checkpoint is not None else None
    values: list[np.ndarray] = []
    if checkpoint is not None and found is not None:
        if found[0].steps not in (None, steps):
            checkpoint.refuse()  # it is of an attempt in halved batches, which comes to it again
        elif _fits(trainer, batches, *found, epochs, steps):
            position, values = found
            _restore(trainer, values)
        else:
            checkpoint.refuse("it is of another training")
    if position.finished:
        return position.rows
    told = keras.callbacks.CallbackList(
        list(callbacks), model=trainer, epochs=epochs, steps=steps, verbose=0
    )
    good = GoodWeights(trainer, "where it was taken up" if values else "its beginning")
    trainer.stop_training = False
    trainer.make_train_function()
    told.on_train_begin()
    iterator = iter(batches(position.epoch * steps + position.step))
    logs: dict[str, Any] = {}
    for epoch in range(position.epoch, epochs):
        trainer.reset_metrics()
        told.on_epoch_begin(epoch)
        if position.step:
            _restore(trainer, values)  # the metrics, half-way through the epoch
        for step in range(position.step, steps):
            told.on_train_batch_begin(step)
            logs = trainer.train_function(iterator)
            good.check_loss(logs, epoch, step)
            told.on_train_batch_end(step, logs)
            if trainer.stop_training:
                break
            if checkpoint is not None and step + 1 < steps:
                checkpoint.save_if_due(trainer, replace(position, epoch=epoch, step=step + 1))
        good.check_weights(epoch)
        logs = _epoch_end(trainer, validation)
        told.on_epoch_end(epoch, logs)
        good.keep(f"the end of epoch {epoch + 1}")
        position = replace(
            position,
            epoch=epoch + 1,
            step=0,
            rows=[*position.rows, {"epoch": epoch + 1, **percent(logs)}],
        )
        if trainer.stop_training:
            break
        if checkpoint is not None and epoch + 1 < epochs:
            checkpoint.save_if_due(trainer, position)
    trainer.optimizer.finalize_variable_values(trainer.trainable_weights)
    told.on_train_end(logs)
    if checkpoint is not None:
        checkpoint.save_if_due(trainer, replace(position, finished=True))
    return position.rows


def _epoch_end(trainer: keras.Model, validation: tf.data.Dataset | None) -> dict[str, float]:
    logs = {name: float(value) for name, value in trainer.get_metrics_result().items()}
    if validation is not None:
        found = trainer.evaluate(validation, verbose=0, return_dict=True)
        logs |= {f"val_{name}": float(value) for name, value in found.items()}
    return logs


def _build_metrics(trainer: keras.Model, batches: tf.data.Dataset) -> None:
    """Keras makes the variables of metrics when it meets the first batch."""
    [batch] = batches.take(1)
    trainer.test_on_batch(*batch)


def _fits(
    trainer: keras.Model,
    batches: Batches,
    position: Position,
    values: list[np.ndarray],
    epochs: int,
    steps: int,
) -> bool:
    """Whether a saved state can be one of this training."""
    _build_metrics(trainer, batches(0))
    shapes = [tuple(variable.shape) for variable in variables_of(trainer)]
    within = position.epoch <= epochs and position.step < steps
    return within and shapes == [value.shape for value in values]


def _restore(trainer: keras.Model, values: list[np.ndarray]) -> None:
    for variable, value in zip(variables_of(trainer), values, strict=True):
        variable.assign(value)
