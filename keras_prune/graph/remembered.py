"""Traces of subclassed models, remembered for as long as a model stays what it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import keras

from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.calls import Trace, input_structure, sublayers
from keras_prune.graph.proving import check_values, running


class _State(NamedTuple):
    """What a trace depends on: objects, which are the same ones, and values, which are equal."""

    objects: list[Any]
    values: list[object]

    def same(self, other: _State) -> bool:
        objects = len(self.objects) == len(other.objects) and all(
            a is b for a, b in zip(self.objects, other.objects, strict=True)
        )
        return objects and self.values == other.values


_traces: WeakKeyDictionary[keras.Model, tuple[_State, Mapping[str, Any]]] = WeakKeyDictionary()
"""By model the fields of its trace but for the model, which lives no longer for being traced."""


def remember(traced: Trace) -> Trace:
    """Keeps a trace for `recall`; returns it."""
    fields = {name: value for name, value in vars(traced).items() if name != "model"}
    _traces[traced.model] = _state(traced.model), fields
    return traced


def recall(model: keras.Model) -> Trace | None:
    """The trace of a model that is what it was when it was traced.

    Layers, weights, input shapes and plain attributes are compared, and the calls are run beside
    the model once more, for its `call` may depend on what is none of these.
    """
    state, fields = _traces.get(model, (None, {}))
    if state is None or not state.same(_state(model)):
        return None
    traced = Trace(model, **fields)
    try:
        run = running(traced.outputs, traced.calls)
        check_values(model, (traced.inputs,), {}, run)
    except Unsupported:
        return None
    return traced


def _state(model: Any) -> _State:
    layers = sublayers(model)[1:]
    weights = model.weights
    inputs = keras.tree.flatten(input_structure(model))
    values: list[object] = [(tensor.shape, tensor.dtype) for tensor in inputs]
    values += [(tuple(weight.shape), weight.dtype) for weight in weights]
    values += [_plain(layer) for layer in (model, *layers)]
    return _State([*layers, *weights], values)


def _plain(layer: Any) -> list[tuple[str, object]]:
    """The attributes of a layer that are a number, a text, a flag or None, and its dtypes."""
    kinds = (bool, int, float, str, type(None))
    plain = [(name, value) for name, value in vars(layer).items() if isinstance(value, kinds)]
    return [*plain, ("dtypes", (layer.compute_dtype, layer.variable_dtype))]
