"""What a task comes to for one model: loss, metrics and objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from keras_prune.training.compiled import Compiled
from keras_prune.training.objective import Objective, tells_direction


@dataclass(frozen=True)
class Bound:
    """What a task comes to for one model.

    Args:
        compiled: loss and metrics.
        default_loss: whether the loss is the cross-entropy of class numbers because none was said.
        classes: whether labels are class numbers, and the one output scores of these classes.
        objective: what the model is judged by.
    """

    compiled: Compiled
    default_loss: bool
    classes: bool
    objective: Objective


def is_class_loss(loss: Any) -> bool:
    """Whether a loss is Keras' cross-entropy of class numbers."""
    return loss == "sparse_categorical_crossentropy" or isinstance(
        loss, keras.losses.SparseCategoricalCrossentropy
    )


def overrides_training(model: keras.Model) -> bool:
    """Whether a model's class has a training of its own."""
    return any(
        getattr(type(model), name) is not getattr(keras.Model, name)
        for name in ("train_step", "compute_loss")
    )


def default_objective(metrics: Any, model: keras.Model) -> Objective:
    """The first metric whose name tells its direction, else the loss."""
    names = _metric_names(metrics, list(getattr(model, "output_names", None) or []))
    return Objective(next(filter(tells_direction, names), "loss"))


def _metric_names(metrics: Any, outputs: list[str]) -> list[str]:
    """Names as Keras gives them: with the output's in front where there are several."""
    if isinstance(metrics, Mapping):
        named = list(metrics.items())
    elif isinstance(metrics, list | tuple) and len(outputs) > 1:
        named = list(zip(outputs, metrics, strict=False))
    else:
        named = [("", metrics)]
    return [
        f"{output}_{_metric_name(metric)}" if output and len(outputs) > 1 else _metric_name(metric)
        for output, of_output in named
        for metric in keras.tree.flatten(of_output)
        if metric is not None
    ]


def _metric_name(metric: Any) -> str:
    if isinstance(metric, str):
        return metric
    return str(getattr(metric, "name", None) or getattr(metric, "__name__", ""))
