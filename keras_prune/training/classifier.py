"""A classifier seen from outside: its inputs, its outputs and the loss that fits them."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops

from keras_prune.errors import ModelError
from keras_prune.graph import trace

Loss = Callable[[Any, Any], Any]


def sharing_layers(model: keras.Model) -> keras.Model:
    """Another model of the same layers and weights, to be compiled in the first one's place."""
    if not is_graph(model):
        return _Sharing(model)
    return keras.Model(*ends_of(model))


def is_graph(model: keras.Model) -> bool:
    """Whether a model is Sequential or functional, and built."""
    graph = isinstance(model, keras.Sequential) or hasattr(model, "operations")
    return graph and bool(getattr(model, "inputs", None))


def ends_of(model: keras.Model) -> tuple[Any, Any]:
    """The model's symbolic inputs and outputs, in their structure.

    Raises:
        ModelError: the model has a `call` of its own.
    """
    if not is_graph(model):
        raise ModelError(
            "Expected a Sequential or functional model. "
            f"Received: {type(model).__name__}, a model with a call() of its own."
        )
    # A Sequential has no `input` of its own before its first call.
    if isinstance(model, keras.Sequential):
        return model.inputs[0], model.outputs[0]
    return model.input, model.output


class _Sharing(keras.Model):
    """A model that does what another one with a `call` of its own does."""

    def __init__(self, shared: keras.Model) -> None:
        super().__init__(name=shared.name)
        self.shared = shared

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.shared(inputs, training=training)


def leaves(layer: keras.Layer) -> Iterator[keras.Layer]:
    """The layers of a model, nested models opened."""
    if not isinstance(layer, keras.Model):
        yield layer
        return
    for child in layer.layers:
        yield from leaves(child)


def output_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers that compute the model's outputs, looked up inside nested models too."""
    layers = []
    for layer in _last_operations(model):
        nested = isinstance(layer, keras.Model)
        layers.extend(output_layers(layer) if nested else [layer])
    return layers


def cross_entropy(model: keras.Model, label_smoothing: float = 0.0) -> Loss:
    """`class_loss` of a model: its outputs are taken for logits unless a softmax computes them."""
    return class_loss(not _gives_probabilities(model), label_smoothing)


def class_loss(from_logits: bool, label_smoothing: float = 0.0) -> Loss:
    """Cross-entropy of labels `(batch,)` and outputs `(batch, classes)`, in float32."""

    def loss(labels: Any, outputs: Any) -> Any:
        outputs = ops.cast(outputs, "float32")
        targets = ops.one_hot(ops.reshape(labels, (-1,)), outputs.shape[-1])
        return keras.losses.categorical_crossentropy(
            targets, outputs, from_logits=from_logits, label_smoothing=label_smoothing
        )

    return loss


def logits(model: keras.Model) -> Callable[[Any], Any]:
    """What turns the model's outputs into float32 logits: nothing, or the logarithm."""
    if not _gives_probabilities(model):
        return lambda outputs: ops.cast(outputs, "float32")
    smallest = keras.config.epsilon()  # as in Keras' losses
    return lambda outputs: ops.log(ops.maximum(ops.cast(outputs, "float32"), smallest))


def _gives_probabilities(model: keras.Model) -> bool:
    return any(map(is_softmax, output_layers(model)))


def _last_operations(model: keras.Model) -> list[Any]:
    model = getattr(model, "whole", model)  # of a runtime-pruned one the network it decides about
    if not is_graph(model):
        outputs = {id(tensor) for tensor in trace(model).flat_outputs}
        return [
            call.operation
            for call in trace(model).calls
            if not outputs.isdisjoint(map(id, call.outputs))
        ]
    if isinstance(model, keras.Sequential):
        return model.layers[-1:]
    # The public description of a functional graph names the operations of its outputs.
    config = model.get_config().get("output_layers", [])
    names = {leaf for leaf in keras.tree.flatten(config) if isinstance(leaf, str)}
    return [operation for operation in model.operations if operation.name in names]


def is_softmax(layer: Any) -> bool:
    """Whether a layer's outputs are probabilities of classes."""
    by_activation = getattr(layer, "activation", None) is keras.activations.softmax
    return by_activation or type(layer).__name__ == "Softmax"
