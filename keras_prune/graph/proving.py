"""Is what a layer's `call` does on symbolic tensors all that it does?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.calling import (
    call_at_any_batch,
    call_inside,
    call_with_steps_folded,
    takes_training,
    trace_calls,
)
from keras_prune.graph.calls import Call, execute, has_mask, in_inference
from keras_prune.graph.samples import sample
from keras_prune.utils.reasons import reason

Run = Callable[[Mapping[int, Any]], list[Any]]
"""Takes values by `id` of the symbolic tensor, and returns the outputs, flat."""


Way = Callable[[Any, Any, Any], Any]
"""How a layer's `call` is run on symbolic tensors: `(layer, args, kwargs) -> outputs`."""


def prove(layer: keras.Layer, args: Any, kwargs: Any) -> tuple[Any, tuple[Call, ...], Way]:
    """Runs a layer's own `call` on symbolic tensors, and proves that the calls found are the layer.

    They are if the layer has no weights but those of layers it calls, makes the same calls in
    training, and returns what they return on random inputs with other weights than it has now (so
    that a value computed from a weight ahead of the calls gives itself away).

    Args:
        layer: the layer, or a subclassed model.
        args: its positional arguments; tensors are symbolic.
        kwargs: its keyword arguments.

    Returns:
        The symbolic outputs in the layer's structure, the calls, producers before consumers, and
        how its `call` has to be run to make them.

    Raises:
        Unsupported: they are not proved to be the layer.
    """
    if isinstance(layer, keras.layers.TimeDistributed):
        return _proved(layer, args, kwargs, call_with_steps_folded)
    try:
        return _proved(layer, args, kwargs, call_inside)
    except Unsupported as first:
        try:
            return _proved(layer, args, kwargs, call_at_any_batch)
        except Unsupported:  # what it says of a batch of fixed size
            raise first from first.__cause__


def _proved(
    layer: keras.Layer, args: Any, kwargs: Any, way: Way
) -> tuple[Any, tuple[Call, ...], Way]:
    inputs = [x for x in keras.tree.flatten((args, kwargs)) if isinstance(x, keras.KerasTensor)]
    outputs, calls = trace_calls(layer, inputs, args, kwargs, way)
    if any(map(has_mask, [*inputs, *keras.tree.flatten(outputs)])):
        raise Unsupported("it takes or makes masks")
    _check_weights(layer, calls)
    check_training(layer, inputs, args, kwargs, outputs, calls, way)
    check_values(layer, args, kwargs, running(outputs, calls))
    return outputs, calls, way


def _check_weights(layer: keras.Layer, calls: Sequence[Call]) -> None:
    """The layer owns nothing but what the layers it calls own."""
    called = [call.operation for call in calls if isinstance(call.operation, keras.Layer)]
    known = {id(weight) for inner in called for weight in inner.weights}
    own = [weight for weight in layer.weights if id(weight) not in known]
    own += [x for call in calls for x in call.constants if isinstance(x, keras.Variable)]
    if own:
        raise Unsupported(f"no layer that it calls has its weight {own[0].path!r}")
    if layer.activity_regularizer is not None:
        raise Unsupported("it has an activity regularizer")


def check_training(
    layer: keras.Layer,
    inputs: Sequence[keras.KerasTensor],
    args: Any,
    kwargs: Any,
    outputs: Any,
    calls: Sequence[Call],
    way: Way = call_inside,
) -> None:
    """In training the same calls are made, and all of them are in training."""
    _check_free(layer, kwargs)
    for call in calls:
        _check_free(call.operation, call.symbolic_arguments[1])
    if takes_training(layer):
        training = trace_calls(layer, inputs, args, kwargs | {"training": True}, way)
        if _wiring(inputs, *training) != _wiring(inputs, outputs, calls):
            raise Unsupported("it makes other calls in training")


def _check_free(layer: Any, kwargs: Any) -> None:
    """A call has no training flag of its own; Keras writes down the default of `call` as one."""
    flag = kwargs.get("training")
    parameter = inspect.signature(layer.call).parameters.get("training")
    if flag is not None and (parameter is None or flag is not parameter.default):
        raise Unsupported(f"{layer.name!r} is called with training={flag} at all times")


def _wiring(
    inputs: Sequence[keras.KerasTensor], outputs: Any, calls: Sequence[Call]
) -> list[object]:
    """The calls with tensors numbered, ops by what they are: equal for calls that do the same."""
    numbers = {id(tensor): f"tensor {number}" for number, tensor in enumerate(inputs)}
    wiring: list[object] = []
    for call in calls:
        args, kwargs = call.arguments(dict(numbers))
        kwargs = {k: v for k, v in kwargs.items() if k != "training" or v not in (None, True)}
        wiring.append((_identity(call.operation), *_plain((args, kwargs))))
        for tensor in call.outputs:
            numbers[id(tensor)] = f"tensor {len(numbers)}"
    return [*wiring, [numbers[id(tensor)] for tensor in keras.tree.flatten(outputs)]]


def _identity(operation: keras.Operation) -> list[object]:
    """A layer is itself; an op is made anew at each call, so it is its class and attributes."""
    if isinstance(operation, keras.Layer):
        return [id(operation)]
    own = {k: v for k, v in vars(operation).items() if not k.startswith("_") and k != "name"}
    return [type(operation), *_plain(own)]


def _plain(structure: Any) -> list[object]:
    """Values that can be compared; arrays as bytes."""
    return [
        keras.ops.convert_to_numpy(x).tobytes() if hasattr(x, "shape") else repr(x)
        for x in (repr(structure) if not structure else keras.tree.flatten(structure))
    ]


def running(outputs: Any, calls: Sequence[Call]) -> Run:
    """Calls as a function of their inputs' values, by `id`, that returns what they make, flat."""

    def run(values: Mapping[int, Any]) -> list[Any]:
        results = execute(calls, values, in_inference)
        return [results[id(tensor)] for tensor in keras.tree.flatten(outputs)]

    return run


def check_values(layer: keras.Layer, args: Any, kwargs: Any, run: Run) -> None:
    """The layer and what was found of it compute the same on random numbers.

    Args:
        layer: the layer, or a subclassed model.
        args: its positional arguments; tensors are symbolic.
        kwargs: its keyword arguments.
        run: what was found of it.

    Raises:
        Unsupported: they do not.
    """
    values: dict[int, Any] = {}
    random = np.random.default_rng(0)

    def value(x: Any) -> Any:
        if not isinstance(x, keras.KerasTensor):
            return x
        return values.setdefault(id(x), sample(x, random))

    real_args, real_kwargs = keras.tree.map_structure(value, (args, kwargs))
    weights = other_weights(layer)
    try:
        with keras.StatelessScope(state_mapping=weights):
            expected = keras.tree.flatten(in_inference(layer, *real_args, **real_kwargs))
        with keras.StatelessScope(state_mapping=weights):  # seeds are where they were
            received = run(values)
        same = all(map(equal, received, expected)) and len(received) == len(expected)
    except Exception as error:
        raise Unsupported(f"a trial run on random numbers fails ({_line(error)})") from error
    if not same:
        raise Unsupported("the calls found compute something else on random numbers")


def other_weights(layer: keras.Layer) -> list[tuple[keras.Variable, Any]]:
    """Every weight with other values; a variance stays positive."""
    return [
        (weight, weight.value * 1.25 + 0.125)
        for weight in layer.weights
        if keras.backend.is_float_dtype(weight.dtype)
    ]


def equal(a: Any, b: Any) -> bool:
    """Whether two tensors hold the same but for rounding."""
    if keras.backend.standardize_dtype(a.dtype) != keras.backend.standardize_dtype(b.dtype):
        return False
    a, b = (keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")) for x in (a, b))
    scale = max(1.0, float(np.abs(b[np.isfinite(b)]).max(initial=0)))
    return a.shape == b.shape and np.allclose(a, b, 1e-4, 1e-5 * scale, equal_nan=True)


def _line(error: Exception) -> str:
    """An error's kind and message in one line."""
    return f"{type(error).__name__}: {reason(error, 300)}"
