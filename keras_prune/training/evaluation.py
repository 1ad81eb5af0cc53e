"""The figures of a model on data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_prune.errors import ConfigError, DataError
from keras_prune.runtimes.predictors import Predictor
from keras_prune.training.binding import class_count, default_loss
from keras_prune.training.checked_batches import looked_through
from keras_prune.training.class_loss import cross_entropy
from keras_prune.training.classifier import sharing_layers
from keras_prune.training.compiled import Compiled
from keras_prune.utils.labels import class_numbers
from keras_prune.utils.progress import percent
from keras_prune.utils.reasons import reason

_BATCH = 128


def evaluate(model: keras.Model, data: Any, compiled: Compiled | None = None) -> dict[str, float]:
    """Measures a model. The model itself stays as it is, compiled or not.

    Args:
        model: any Keras model.
        data: a dataset of batches, or arrays `(x, y)` or `(x, y, sample_weight)`.
        compiled: loss and metrics; default the cross-entropy and accuracy that fit the outputs and
            labels, which are class numbers, or 0 and 1 for each output of a sigmoid.

    Returns:
        The figures by name, `"loss"` among them; accuracies in percent.

    Raises:
        ConfigError: loss or metrics do not fit the outputs and labels.
        DataError: there are no data, or they end early.
    """
    if compiled is None:
        data, compiled = _by_default(model, data)
    judge = sharing_layers(model)
    judge.compile(**compiled.arguments())
    given = data if isinstance(data, tuple) else (data,)
    arguments = dict(zip(("x", "y", "sample_weight"), given, strict=False))
    batch = _BATCH if len(given) > 1 else None
    try:
        found = judge.evaluate(**arguments, batch_size=batch, verbose=0, return_dict=True)
    except tf.errors.ResourceExhaustedError:
        raise
    except (ValueError, TypeError, tf.errors.OpError) as error:
        said = by_pipeline(error)
        raise (DataError(said) if said else ConfigError(misfit(model, error))) from error
    if "loss" not in found:
        raise DataError("The data to evaluate a model on are empty. Give at least one batch.")
    return percent(found)


def _by_default(model: keras.Model, data: Any) -> tuple[tf.data.Dataset, Compiled]:
    """The data, looked through, and the loss and metrics that fit them."""
    if isinstance(data, tuple):
        data = tf.data.Dataset.from_tensor_slices(keras.tree.lists_to_tuples(data)).batch(_BATCH)
    labels = data.element_spec[1]
    default = default_loss(
        model, labels, lambda: next(data.take(1).map(lambda *b: b[1]).as_numpy_iterator())
    )
    if default is None:
        raise ConfigError(
            f"The labels {getattr(labels, 'shape', 'in a structure')} of model {model.name!r} are "
            "no class numbers for one output (batch, classes), nor 0 and 1 for outputs of a "
            "sigmoid. Give the loss and metrics that fit them."
        )
    checked = looked_through(data, "given", class_count(model) if default.classes else 0)
    return checked, Compiled(cross_entropy(model), default.metrics)


def by_pipeline(error: Exception) -> str:
    """What one of our pipelines said before TensorFlow wrapped it; empty if none did."""
    own = re.search(r"DataError: (.*)", str(error))
    return own[1].rstrip("]'") if own else ""


def misfit(model: keras.Model, error: Exception) -> str:
    """The message for a loss or metric that cannot be computed."""
    shapes = [tuple(x.shape) for x in keras.tree.flatten(getattr(model, "outputs", None) or [])]
    return (
        f"The data, loss and metrics do not fit model {model.name!r} with outputs "
        f"{' and '.join(map(str, shapes)) or 'of its own'}: {reason(error, 300)}"
    )


@dataclass(frozen=True)
class Evaluation:
    """What a classifier reaches on some examples.

    Args:
        accuracy: correct answers in percent.
        loss: mean cross-entropy in nats, without label smoothing.
        examples: how many were seen.
    """

    accuracy: float
    loss: float
    examples: int


def evaluate_predictor(predictor: Predictor, data: Any) -> Evaluation:
    """Evaluate a saved classifier, whatever its format.

    Args:
        predictor: gives probabilities.
        data: a dataset of `(images, labels)` batches.

    Returns:
        Accuracy in percent, loss and number of examples.
    """
    right, losses = [], []
    for images, labels in data.as_numpy_iterator():
        likelihood = predictor.log_probabilities(images)
        numbers = class_numbers(labels, predictor.num_classes)
        right.append(likelihood.argmax(axis=1) == numbers)
        losses.append(-np.take_along_axis(likelihood, numbers[:, None], axis=1))
    found = np.concatenate(right)
    return Evaluation(100 * float(found.mean()), float(np.concatenate(losses).mean()), len(found))
