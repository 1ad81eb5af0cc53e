"""Accuracy and loss of a classifier."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_prune.predictors import Predictor
from keras_prune.training.classifier import cross_entropy, sharing_layers

_BATCH = 128


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


def evaluate(model: keras.Model, data: Any) -> Evaluation:
    """Evaluate a classifier. The model itself stays as it is, compiled or not.

    Args:
        model: `(batch, ...)` to `(batch, classes)`, logits or probabilities.
        data: a dataset of `(images, labels)` batches, or two arrays `(images, labels)`.

    Returns:
        Accuracy in percent, loss and number of examples.
    """
    judge = sharing_layers(model)
    judge.compile(
        loss=cross_entropy(model),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy"), _Examples()],
    )
    images, labels = data if isinstance(data, tuple) else (data, None)
    batch = None if labels is None else _BATCH
    found = judge.evaluate(images, labels, batch_size=batch, verbose=0, return_dict=True)
    return Evaluation(100 * found["accuracy"], found["loss"], int(found["examples"]))


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
        probabilities = predictor(images)
        right.append(probabilities.argmax(axis=1) == labels)
        likelihood = np.take_along_axis(probabilities, labels[:, None], axis=1)
        losses.append(-np.log(np.maximum(likelihood, np.finfo("float32").tiny)))
    found = np.concatenate(right)
    return Evaluation(100 * float(found.mean()), float(np.concatenate(losses).mean()), len(found))


class _Examples(keras.metrics.Sum):
    """Counts what passes by, so that any dataset can be evaluated in one pass."""

    def __init__(self) -> None:
        super().__init__(name="examples", dtype="int32")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.total.assign_add(ops.shape(y_pred)[0])
