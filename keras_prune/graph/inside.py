"""What a layer with weights of its own computes, these weights being tensors of the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np

from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.calling import at_one_size, trace_calls
from keras_prune.graph.calls import (
    Call,
    calls_between,
    execute,
    functional_trace,
    has_mask,
    in_inference,
    is_model,
)
from keras_prune.graph.proving import check_training, check_values
from keras_prune.graph.stand_ins import symbolic

_LENGTH = 5  # of what has no known length, where the layer asks for it


@dataclass(frozen=True, eq=False)
class Inside:
    """The calls of a layer's own `call`.

    Args:
        inputs: what it takes, flat; of one batch size, where the layer asks for it.
        calls: the calls, producers before consumers.
        outputs: what it returns, flat.
        weights: its own weights by `id` of the tensor that stands for each, and that tensor.
        constants: likewise the numbers that layers inside are called with.
    """

    inputs: tuple[keras.KerasTensor, ...]
    calls: tuple[Call, ...]
    outputs: tuple[keras.KerasTensor, ...]
    weights: Mapping[int, tuple[keras.KerasTensor, keras.Variable]]
    constants: Mapping[int, tuple[keras.KerasTensor, np.ndarray]]

    def run(self, values: Mapping[int, Any]) -> list[Any]:
        """The outputs for some inputs, given by `id`, with the values that the weights have."""
        own = {
            key: keras.ops.reshape(keras.ops.cast(variable.value, tensor.dtype), tensor.shape)
            for key, (tensor, variable) in self.weights.items()
        }
        numbers = {key: keras.ops.array(value) for key, (_, value) in self.constants.items()}
        results = execute(self.calls, {**values, **own, **numbers}, in_inference)
        return [results[id(tensor)] for tensor in self.outputs]


def trace_inside(call: Call) -> Inside:
    """Runs a layer's own `call` on symbolic tensors, its own weights being symbolic, too.

    That what is found is all that the layer does, is proved as for layers without weights.

    Args:
        call: a call of the layer.

    Raises:
        Unsupported: it is not proved, or a weight is used as no tensor can be.
    """
    try:
        return _traced(call, call.inputs)
    except Unsupported as first:
        try:
            return _traced(call, tuple(at_one_size(x, _LENGTH) for x in call.inputs))
        except Unsupported:
            raise first from first.__cause__


def _traced(call: Call, inputs: tuple[keras.KerasTensor, ...]) -> Inside:
    layer: Any = call.operation
    args, kwargs = call.arguments(dict(zip(map(id, call.inputs), inputs, strict=True)))
    with symbolic(layer) as (weights, constants):
        known = constants.known
        known += [*inputs, *(tensor for tensor, _ in weights.values())]
        outputs, calls = trace_calls(layer, known, args, kwargs)
        flat = keras.tree.flatten(outputs)
        if any(map(has_mask, [*call.inputs, *flat])):
            raise Unsupported("it takes or makes masks")
        if layer.weights:  # without, what it does in training is no matter of theirs
            check_training(layer, known, args, kwargs, outputs, calls)
        outputs, calls = _without_models(known, outputs, calls)
        flat = keras.tree.flatten(outputs)
    shown = {id(weight) for inner in calls for weight in getattr(inner.operation, "weights", ())}
    shown |= {id(variable) for _, variable in weights.values()}
    unknown = [weight for weight in layer.weights if id(weight) not in shown]
    if unknown or layer.activity_regularizer is not None:
        what = f"its weight {unknown[0].path!r}" if unknown else "its activity regularizer"
        raise Unsupported(f"it does not show what becomes of {what}")
    inside = Inside(inputs, calls, tuple(flat), weights, constants.values)
    check_values(layer, args, kwargs, inside.run)
    return inside


def _without_models(
    known: Sequence[keras.KerasTensor], outputs: Any, calls: tuple[Call, ...]
) -> tuple[Any, tuple[Call, ...]]:
    """The outputs and the calls that make them, those of models replaced by what they call."""
    while any(is_model(call.operation) for call in calls):
        values = execute(calls, {id(tensor): tensor for tensor in known}, _inlined)
        outputs = keras.tree.map_structure(partial(_value_of, values), outputs)
        calls = calls_between(known, keras.tree.flatten(outputs))
    return outputs, calls


def _inlined(operation: Any, *args: Any, **kwargs: Any) -> Any:
    if not is_model(operation):
        return operation(*args, **kwargs)
    inner = functional_trace(operation)
    given = [x for x in keras.tree.flatten((args, kwargs)) if isinstance(x, keras.KerasTensor)]
    if len(given) != len(inner.flat_inputs):
        raise Unsupported("a model inside it is called with more than it takes")
    values = dict(zip(map(id, inner.flat_inputs), given, strict=True))
    return keras.tree.map_structure(partial(_value_of, execute(inner.calls, values)), inner.outputs)


def _value_of(values: Mapping[int, Any], tensor: keras.KerasTensor) -> Any:
    return values[id(tensor)]
