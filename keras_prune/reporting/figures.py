"""What a model is worth and what it costs, for reports."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from keras_prune.profiling import profile
from keras_prune.reporting.report import ModelFigures


def model_figures(
    model: keras.Model, metrics: Mapping[str, float], objective: str, validation: float
) -> ModelFigures:
    """The figures of one model.

    Args:
        model: the model.
        metrics: its figures on the test data; empty without any.
        objective: the metric it is judged by.
        validation: its objective on the validation data, as it was measured on the way.
    """
    # A runtime-pruned model says what it is when nothing is left out.
    cost = profile(getattr(model, "whole", model)).total
    return ModelFigures(
        test=metrics.get(objective),
        loss=metrics.get("loss"),
        validation=validation,
        parameters=cost.parameters,
        macs=cost.macs,
        flops=cost.flops,
        bytes=cost.bytes,
        metrics=dict(metrics),
    )
