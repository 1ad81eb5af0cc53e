"""What the outputs of a classifier are: logits, probabilities of classes, or one by one."""

from __future__ import annotations

from typing import Any, Literal
from weakref import WeakKeyDictionary

import keras
import numpy as np

from keras_prune.graph import trace
from keras_prune.graph.samples import sample
from keras_prune.training.classifier import output_layers
from keras_prune.training.compiled import compiled_with
from keras_prune.utils.labels import sum_to_one

Kind = Literal["logits", "probabilities", "sigmoids"]
"""`"probabilities"` sum to 1; `"sigmoids"` are a probability each."""

_known: WeakKeyDictionary[keras.Model, Kind] = WeakKeyDictionary()


def kind_of(model: keras.Model) -> Kind:
    """What the outputs of a model are.

    It is asked what the model was compiled with; if that does not tell, the model is run on two
    examples: outputs that are not negative and sum to 1 are probabilities, whatever layer gives
    them. Outputs of a sigmoid are probabilities one by one.

    Args:
        model: a classifier with one output `(batch, classes)`.
    """
    model = getattr(model, "whole", model)  # of a runtime-pruned one the network it decides about
    if model not in _known:
        _known[model] = _said(model) or _seen(model)
    return _known[model]


def _said(model: keras.Model) -> Kind | None:
    """What the loss says that a model was compiled with."""
    compiled = compiled_with(model)
    loss = compiled.loss if compiled else None
    if loss in ("sparse_categorical_crossentropy", "categorical_crossentropy"):
        return "probabilities"
    of_classes = (
        keras.losses.SparseCategoricalCrossentropy,
        keras.losses.CategoricalCrossentropy,
    )
    if isinstance(loss, of_classes):
        return "logits" if loss.get_config().get("from_logits") else "probabilities"
    return None


def _seen(model: keras.Model) -> Kind:
    layers = output_layers(model)
    if any(map(_is_sigmoid, layers)):
        return "sigmoids"
    if layers and all(map(_is_linear, layers)):  # which may sum to 1 by chance
        return "logits"
    try:
        outputs = _run(model)
    except Exception:  # of a size or meaning that the sample has not
        outputs = None
    if outputs is None or not np.isfinite(outputs).all():
        return "probabilities" if any(map(is_softmax, layers)) else "logits"
    return "probabilities" if outputs.shape[-1] > 1 and sum_to_one(outputs) else "logits"


def _run(model: keras.Model) -> np.ndarray:
    traced = trace(model)
    given = [sample(tensor) for tensor in traced.flat_inputs]
    inputs = keras.tree.pack_sequence_as(traced.inputs, given)
    with keras.StatelessScope():
        [outputs] = keras.tree.flatten(model(inputs, training=False))
    return keras.ops.convert_to_numpy(keras.ops.cast(outputs, "float32"))


def is_softmax(layer: Any) -> bool:
    """Whether a layer ends in a softmax."""
    by_activation = getattr(layer, "activation", None) is keras.activations.softmax
    return by_activation or isinstance(layer, keras.layers.Softmax)


def _is_linear(layer: Any) -> bool:
    """Whether a layer ends in weights."""
    linear = getattr(layer, "activation", None) is keras.activations.linear
    return linear and hasattr(layer, "kernel")


def _is_sigmoid(layer: Any) -> bool:
    by_activation = getattr(layer, "activation", None) is keras.activations.sigmoid
    return by_activation or type(layer).__name__ == "Sigmoid"  # the op's class has no public name
