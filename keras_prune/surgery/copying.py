"""A layer copied whole, without its `get_config`: for what a cut leaves as it is."""

from __future__ import annotations

import copy
import sys
import types
from collections import ChainMap
from collections.abc import Callable
from typing import Any

import keras

from keras_prune.graph import Call
from keras_prune.graph.calls import in_inference, is_model, sublayers
from keras_prune.graph.proving import equal, other_weights
from keras_prune.graph.samples import sample

Rebuild = Callable[[keras.Model], tuple[keras.Model, dict[int, Any]]]
"""Makes a model anew; returns it and the new layer of each old one, by `id`."""


def has_foreign_code(operation: keras.Operation) -> bool:
    """Whether an operation is a layer whose code, or that of a layer inside, is not Keras' own."""
    return isinstance(operation, keras.Layer) and not all(
        type(layer).__module__.startswith("keras.") for layer in sublayers(operation)
    )


def copied(layer: keras.Layer, rebuild: Rebuild) -> keras.Layer:
    """A layer that does what another one does, with variables of its own.

    The other one stays untouched. Attributes are copied, whatever their depth, but for what cannot
    be: that is shared. Layers inside are copied likewise, each once; models inside whose calls are
    known are made anew, for their layers hang together by more than attributes.

    Args:
        layer: a built layer.
        rebuild: makes the models inside anew.
    """
    memo: dict[int, Any] = {id(module): module for module in list(sys.modules.values())}
    inside = sublayers(layer)
    for model in inside:
        if is_model(model) and id(model) not in memo:
            new, layers = rebuild(model)
            memo |= layers | {id(model): new}
            pairs = zip(model.variables, new.variables, strict=True)
            for old, value in pairs:
                _remember(old, value, memo)
    found = [inner for inner in inside if id(inner) not in memo]
    for inner in found:
        memo[id(inner)] = keras.Layer.__new__(type(inner))  # what `Model` adds asks for arguments
    for variable in layer.variables:
        if id(variable) not in memo:
            _remember(variable, _copied_variable(variable), memo)
    for inner in found:
        _fill(inner, memo[id(inner)], memo)
    return memo[id(layer)]


def stands_alone(call: Call, copy: keras.Layer) -> bool:
    """Whether a copy computes what the layer of a call computes, and from its own weights.

    Both are run on random numbers with the same other weights. A function that holds on to the
    layer it was made by, and so does its copy, gives itself away.
    """
    layer: Any = call.operation
    if not layer.weights:
        return True
    drawn = {id(tensor): sample(tensor) for tensor in call.inputs}
    args, kwargs = call.arguments(drawn)
    others = other_weights(layer)
    new = {id(a): b for a, b in zip(layer.weights, copy.weights, strict=True)}
    try:
        with keras.StatelessScope(state_mapping=others):
            expected = in_inference(layer, *args, **kwargs)
        with keras.StatelessScope(state_mapping=[(new[id(w)], value) for w, value in others]):
            received = in_inference(copy, *args, **kwargs)
    except Exception:  # on numbers that are none it can take, or for what was copied
        return False
    return all(map(equal, keras.tree.flatten(received), keras.tree.flatten(expected)))


def _remember(old: Any, new: Any, memo: dict[int, Any]) -> None:
    """A variable and the backend's own behind it."""
    memo[id(old)], memo[id(old._value)] = new, new._value


def _copied_variable(variable: Any) -> Any:
    new = copy.copy(variable)
    new._value = None
    new._initialize(keras.ops.convert_to_numpy(variable))
    return new


def _fill(old: Any, new: Any, memo: dict[int, Any]) -> None:
    """Gives a new layer the attributes of an old one. It was called by nobody yet."""
    tracker = _at_rest(old._tracker)
    memo |= {id(old._tracker): tracker, id(old._inbound_nodes): [], id(old._outbound_nodes): []}
    for name, value in vars(old).items():
        if not (name in vars(new) and isinstance(value, types.FunctionType)):  # made for this one
            vars(new)[name] = _copied_value(value, memo)
    tracker.config = {
        name: (is_kind, _copied_value(store, memo))
        for name, (is_kind, store) in old._tracker.config.items()
    }
    tracker.stored_ids = {
        name: {id(each) for each in store} for name, (_, store) in tracker.config.items()
    }
    tracker.locked = old._tracker.locked


def _at_rest(tracker: Any) -> Any:
    """A copy of a tracker that tracks nothing, for lists tell theirs what is put into them."""
    resting = copy.copy(tracker)
    resting.config, resting.stored_ids, resting.locked = {}, {}, False
    return resting


def _copied_value(value: Any, memo: dict[int, Any]) -> Any:
    if id(value) in memo:
        return memo[id(value)]
    attempt = ChainMap[int, Any]({}, memo)
    try:
        new = copy.deepcopy(value, attempt)  # type: ignore[arg-type]
    except Exception:  # a lock, a table of the backend, an optimizer that no file can hold
        return value
    memo.update(attempt.maps[0])
    return new
