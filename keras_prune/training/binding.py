"""What a task comes to for one model: loss, metrics and objective."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_prune.errors import ConfigError
from keras_prune.graph import trace
from keras_prune.training.classifier import output_layers
from keras_prune.training.compiled import Compiled
from keras_prune.training.objective import Objective, tells_direction
from keras_prune.training.outputs import is_softmax, kind_of


@dataclass(frozen=True)
class Bound:
    """What a task comes to for one model.

    Args:
        compiled: loss and metrics.
        default_loss: whether the loss is the cross-entropy that fits outputs and labels because
            none was said.
        class_count: how many classes there are, if labels are class numbers and the one output
            scores of these classes; else 0.
        label_range: labels are below it, if they are class numbers of any output shape; else 0.
        objective: what the model is judged by.
        assumed: what was taken for granted of the outputs, as a sentence.
    """

    compiled: Compiled
    default_loss: bool
    class_count: int
    label_range: int
    objective: Objective
    assumed: str = ""


@dataclass(frozen=True)
class Default:
    """What holds where no loss was said: each model gets the cross-entropy for its outputs.

    Args:
        metrics: the accuracy.
        classes: whether labels are class numbers; else they are 0 and 1 for each output.
        assumed: what was taken for granted of the outputs, as a sentence.
    """

    metrics: list[keras.metrics.Metric]
    classes: bool
    assumed: str


def default_loss(model: keras.Model, labels: Any, first: Callable[[], Any]) -> Default | None:
    """What fits labels and outputs: class numbers, or 0 and 1 for each output of a sigmoid.

    Args:
        model: the model.
        labels: the `tf.TensorSpec` of a batch of them; None if there are none.
        first: reads the labels of the first batch.
    """
    if are_class_numbers(model, labels, first):
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        return Default([accuracy], True, _assumed(model))
    shape = _output_shape(model)
    if shape is None or not isinstance(labels, tf.TensorSpec) or kind_of(model) != "sigmoids":
        return None
    fitting = [shape[1:], *([shape[1:-1]] if shape[-1] == 1 else [])]
    if tuple(labels.shape)[1:] not in fitting or not np.isin(first(), (0, 1)).all():
        return None
    metrics = [keras.metrics.BinaryAccuracy(name="accuracy")]
    return Default(metrics, False, "")


def are_class_numbers(model: keras.Model, labels: Any, first: Callable[[], Any]) -> bool:
    """Whether labels are whole numbers, one for the one output of a model with several classes.

    Args:
        model: the model.
        labels: the `tf.TensorSpec` of a batch of them; None if there are none.
        first: reads the labels of the first batch, if their type alone does not tell.
    """
    shape = _output_shape(model)
    return (
        shape is not None
        and len(shape) == 2
        and shape[-1] > 1
        and isinstance(labels, tf.TensorSpec)
        and (labels.shape.rank == 1 or labels.shape[1:] == (1,))
        and (labels.dtype.is_integer or (labels.dtype.is_floating and _are_whole(first())))
    )


def _are_whole(labels: np.ndarray) -> bool:
    return bool((labels == np.floor(labels)).all())


def label_range(model: keras.Model, loss: Any) -> int:
    """Below what class numbers must lie for Keras' cross-entropy of them; 0 for another loss.

    Raises:
        ConfigError: the model has a single score in place of one for each class.
    """
    config = loss.get_config() if isinstance(loss, keras.losses.Loss) else {}
    if not is_class_loss(loss) or config.get("ignore_class") is not None:
        return 0
    if config.get("axis", -1) != -1 or _output_shape(model) is None:
        return 0
    if class_count(model) == 1:
        layers = " and ".join(repr(layer.name) for layer in output_layers(model))
        raise ConfigError(
            f"The cross-entropy of class numbers needs a score for each class. Layer {layers} "
            f"gives one, in outputs of shape {_output_shape(model)}: use loss="
            "'binary_crossentropy' behind a sigmoid, or give it a unit for each class."
        )
    return class_count(model)


def class_count(model: keras.Model) -> int:
    """How many classes the one output of a model tells apart."""
    shape = _output_shape(model)
    return int(shape[-1] or 0) if shape else 0


def _output_shape(model: keras.Model) -> tuple[Any, ...] | None:
    """Of the one output; None if there are several."""
    outputs = getattr(model, "outputs", None) or keras.tree.flatten(trace(model).outputs)
    return tuple(outputs[0].shape) if len(outputs) == 1 else None


def _assumed(model: keras.Model) -> str:
    kind = kind_of(model)
    if kind == "logits" or any(map(is_softmax, output_layers(model))):
        return ""
    if kind == "sigmoids":
        return (
            "The outputs are those of a sigmoid and the labels class numbers: each class was "
            "trained and measured against all others."
        )
    return "The outputs were taken for probabilities, for they sum to 1."


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
