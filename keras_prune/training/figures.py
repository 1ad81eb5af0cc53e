"""What a model is worth and what it costs, for reports."""

from typing import Any

import keras

from keras_prune.profiling import profile
from keras_prune.reporting import ModelFigures
from keras_prune.training.evaluate import evaluate


def figures(model: keras.Model, test: Any, validation_accuracy: float) -> ModelFigures:
    """The figures of one model.

    Args:
        model: a classifier.
        test: the test split, as `evaluate` takes it.
        validation_accuracy: in percent, as it was measured on the way.
    """
    quality, cost = evaluate(model, test), profile(model).total
    return ModelFigures(
        accuracy=quality.accuracy,
        loss=quality.loss,
        validation_accuracy=validation_accuracy,
        parameters=cost.parameters,
        macs=cost.macs,
        flops=cost.flops,
        bytes=cost.bytes,
    )
