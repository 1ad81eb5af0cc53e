"""The loss whose change a gradient criterion estimates: one value per example."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops

from keras_prune.errors import DataError, ModelError
from keras_prune.graph import ChannelGraph, Trace
from keras_prune.training.losses import PerExample
from keras_prune.training.losses import per_example as of_loss


def per_example(graph: ChannelGraph, loss: Any) -> PerExample:
    """A loss as a function of labels and the model's outputs, `(batch,)`.

    Args:
        graph: the walked model.
        loss: as `keras_prune.training.losses.per_example` takes it; None for the cross-entropy of
            class labels.
    """
    return of_loss(_cross_entropy(graph) if loss is None else loss)


def check_classes(graph: ChannelGraph, labels: Any) -> None:
    """Raises a `DataError` unless labels are class numbers that the model's output has."""
    classes = _output(graph).shape[-1]
    labels = ops.convert_to_numpy(labels)
    if labels.ndim != 1 and labels.shape != (len(labels), 1):
        raise DataError(
            f"Expected class numbers of shape (batch,) as labels. Received shape {labels.shape}. "
            "For other labels give a loss, such as loss='categorical_crossentropy'."
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise DataError(
            f"Expected labels from 0 to {classes - 1}, the model has {classes} outputs. "
            f"Received: labels from {labels.min()} to {labels.max()}."
        )


def _cross_entropy(graph: ChannelGraph) -> Callable[..., Any]:
    # It is in a room that needs TensorFlow, which weight criteria do without.
    from keras_prune.training.classifier import class_loss, is_softmax

    _output(graph)
    return class_loss(not any(map(is_softmax, _last_operations(graph, graph.trace))))


def _output(graph: ChannelGraph) -> keras.KerasTensor:
    outputs = graph.trace.flat_outputs
    if len(outputs) != 1 or len(outputs[0].shape) != 2:
        raise ModelError(
            f"Expected one output (batch, classes) of model {graph.model.name!r}. Received: "
            f"{' and '.join(str(x.shape) for x in outputs)}. Give a loss of labels and outputs."
        )
    return outputs[0]


def _last_operations(graph: ChannelGraph, traced: Trace) -> Iterator[Any]:
    """The operations that compute a model's outputs, looked up inside nested models too."""
    ends = {id(tensor) for tensor in traced.flat_outputs}
    for call in traced.calls:
        if not ends.isdisjoint(map(id, call.outputs)):
            inner = graph.traces.get(id(call.operation))
            yield from [call.operation] if inner is None else _last_operations(graph, inner)
