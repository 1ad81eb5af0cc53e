"""The loss whose change a gradient criterion estimates: one value per example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_prune.errors import DataError, ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.training.losses import PerExample
from keras_prune.training.losses import per_example as of_loss
from keras_prune.utils.labels import class_numbers, expect_in_range, say_each


def per_example(graph: ChannelGraph, loss: Any) -> PerExample:
    """A loss as a function of labels and the model's outputs, `(batch,)`.

    Args:
        graph: the walked model.
        loss: as `keras_prune.training.losses.per_example` takes it; None for the cross-entropy of
            class labels.
    """
    return of_loss(_cross_entropy(graph) if loss is None else loss)


def check_classes(graph: ChannelGraph, labels: Any) -> np.ndarray:
    """Labels as class numbers of the model's output, `(n,)`; of sigmoids also 0 and 1 for each.

    Raises:
        DataError: they are something else, or the model has no such class.
    """
    # It is in a room that needs TensorFlow, which weight criteria do without.
    from keras_prune.training.outputs import kind_of

    found, outputs = ops.convert_to_numpy(labels), _output(graph).shape[-1]
    if say_each(found, outputs) and kind_of(graph.model) == "sigmoids":
        return found.astype("float32")
    try:
        return class_numbers(found, outputs)
    except DataError as error:
        raise DataError(
            f"{error} For other labels give a loss, such as loss='categorical_crossentropy'."
        ) from error


def check_range(graph: ChannelGraph, labels: Any, loss: Any) -> None:
    """Refuses class numbers that the cross-entropy of them cannot take.

    Raises:
        DataError: the model has no such class.
        ConfigError: it has a single score in place of one for each class.
    """
    from keras_prune.training.binding import label_range

    if classes := label_range(graph.model, loss):
        expect_in_range(ops.convert_to_numpy(labels), classes)


def _cross_entropy(graph: ChannelGraph) -> Callable[..., Any]:
    # It is in a room that needs TensorFlow, which weight criteria do without.
    from keras_prune.training.class_loss import cross_entropy

    _output(graph)
    return cross_entropy(graph.model)


def _output(graph: ChannelGraph) -> keras.KerasTensor:
    outputs = graph.trace.flat_outputs
    if len(outputs) != 1 or len(outputs[0].shape) != 2:
        raise ModelError(
            f"Expected one output (batch, classes) of model {graph.model.name!r}. Received: "
            f"{' and '.join(str(x.shape) for x in outputs)}. Give a loss of labels and outputs."
        )
    return outputs[0]
