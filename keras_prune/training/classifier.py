"""A model seen from outside: its inputs, its outputs, and the layers between."""

from collections.abc import Iterator
from typing import Any

import keras

from keras_prune.errors import ModelError
from keras_prune.graph import trace
from keras_prune.utils.long_networks import long_networks


def sharing_layers(model: keras.Model) -> keras.Model:
    """Another model of the same layers and weights, to be compiled in the first one's place."""
    if not is_graph(model):
        return _Sharing(model)
    with long_networks():
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


def _last_operations(model: keras.Model) -> list[Any]:
    model = getattr(model, "whole", model)  # of a runtime-pruned one the network it decides about
    if not is_graph(model):
        traced = trace(model)  # one, for the tensors of two are not the same
        outputs = {id(tensor) for tensor in traced.flat_outputs}
        return [
            call.operation for call in traced.calls if not outputs.isdisjoint(map(id, call.outputs))
        ]
    if isinstance(model, keras.Sequential):
        return model.layers[-1:]
    # The public description of a functional graph names the operations of its outputs.
    config = model.get_config().get("output_layers", [])
    names = {leaf for leaf in keras.tree.flatten(config) if isinstance(leaf, str)}
    return [operation for operation in model.operations if operation.name in names]
