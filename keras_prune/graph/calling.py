"""A layer's own `call` on symbolic tensors, also where it asks for the size of the batch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.calls import Call, calls_between, execute, is_model, sublayers
from keras_prune.graph.rules import has_rule
from keras_prune.utils.reasons import reason

_BATCH = 3  # another one than that of a trial run


def is_foreign(operation: Any) -> bool:
    """Whether an operation is a layer of a user's code that no rule knows."""
    kind = type(operation)
    return (
        isinstance(operation, keras.Layer)
        and (not kind.__module__.startswith("keras.") or kind is keras.layers.Lambda)
        and not is_model(operation)
        and not has_rule(operation)
    )


def runs_unknown(operation: Any) -> bool:
    """Whether an operation runs at each step what only opening it can tell of."""
    if type(operation) is not keras.layers.TimeDistributed:
        return False
    inner = operation.layer
    return is_model(inner) or is_foreign(inner) or runs_unknown(inner)


def call_inside(layer: Any, args: Any, kwargs: Any) -> Any:
    """A layer's own `call` with what Keras does before it: inputs cast, no training flag chosen."""

    def cast(x: Any) -> Any:
        floating = isinstance(x, keras.KerasTensor) and keras.backend.is_float_dtype(x.dtype)
        if floating and layer.autocast and x.dtype != layer.compute_dtype:
            return keras.ops.cast(x, layer.compute_dtype)
        return x

    args, kwargs = keras.tree.map_structure(cast, (args, kwargs))
    if takes_training(layer) and kwargs.get("training") is not True:
        kwargs = kwargs | {"training": None}  # False, its default, would be passed on as a choice
    return layer.call(*args, **kwargs)


def takes_training(layer: Any) -> bool:
    """Whether a layer's `call` is told whether it is in training."""
    return "training" in inspect.signature(layer.call).parameters


def trace_calls(
    layer: keras.Layer,
    inputs: Sequence[keras.KerasTensor],
    args: Any,
    kwargs: Any,
    way: Callable[[Any, Any, Any], Any] = call_inside,
) -> tuple[Any, tuple[Call, ...]]:
    """What a layer's own `call` returns, and the calls that make it.

    Args:
        layer: the layer, or a subclassed model.
        inputs: all tensors that may come from outside.
        args: its positional arguments.
        kwargs: its keyword arguments.
        way: how its `call` is run.

    Raises:
        Unsupported: its `call` fails, or its outputs depend on other tensors.
    """
    try:
        outputs = way(layer, args, kwargs)
        return outputs, calls_between(inputs, keras.tree.flatten(outputs))
    except Unsupported:
        raise
    except Exception as error:  # whatever a user's code does with a tensor that has no values
        raise Unsupported(_failure(error)) from error


def _failure(error: Exception) -> str:
    what = f"{type(error).__name__}: {reason(error, 300)}"
    if "used as input to a TensorFlow function" in what:
        return "it calls functions of TensorFlow, not of keras.ops: write it with these"
    return f"its call fails on symbolic tensors ({what})"


def call_at_any_batch(layer: Any, args: Any, kwargs: Any) -> Any:
    """What `call_inside` returns where the layer reshapes by `keras.ops.shape(x)[0]`.

    On a symbolic input of any batch size that is None, which no reshape takes. At one size it is a
    number: reshapes to it are made again, to take what comes.

    Raises:
        Unsupported: it fails so, too.
    """
    fixed_args, fixed_kwargs = keras.tree.map_structure(at_one_size, (args, kwargs))
    given = [x for x in keras.tree.flatten((args, kwargs)) if _is_symbolic(x)]
    fixed = [x for x in keras.tree.flatten((fixed_args, fixed_kwargs)) if _is_symbolic(x)]
    outputs, calls = trace_calls(layer, fixed, fixed_args, fixed_kwargs)
    values = {id(old): new for old, new in zip(fixed, given, strict=True)}
    values = execute(calls, values, _Freed(calls))
    return keras.tree.map_structure(lambda tensor: values[id(tensor)], outputs)


def call_with_steps_folded(layer: Any, args: Any, kwargs: Any) -> Any:
    """What a `TimeDistributed` makes where its steps are rows of the batch.

    In training, statistics of BatchNormalization are then taken over all steps at once, where Keras
    takes those of one step after the other.

    Raises:
        Unsupported: it is not known how many steps there are, or of which size, or a penalty on
            activations, which Keras divides by the size of the batch, would become another.
    """
    if any(getattr(inner, "activity_regularizer", None) for inner in sublayers(layer)):
        raise Unsupported("a layer in it has an activity regularizer")
    inputs, *_ = (x for x in keras.tree.flatten((args, kwargs)) if _is_symbolic(x))
    _, steps, *size = inputs.shape
    if None in (steps, *size):
        raise Unsupported(f"the shape {inputs.shape} of what it runs over is not known")
    made = layer.layer(keras.ops.reshape(inputs, (-1, *size)))
    return keras.tree.map_structure(
        lambda tensor: keras.ops.reshape(tensor, (-1, steps, *tensor.shape[1:])), made
    )


class _Freed:
    """Runs operations; a reshape to the fixed batch size becomes one to any."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._targets = {
            id(call.operation): (-1, *call.outputs[0].shape[1:])
            for call in calls
            if _reshapes_to_size(call.operation)
        }

    def __call__(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        if id(operation) in self._targets:
            return keras.ops.reshape(args[0], self._targets[id(operation)])
        return operation(*args, **kwargs)


def at_one_size(value: Any, length: int | None = None) -> Any:
    """A tensor of any batch size as one of a fixed size; anything else as it is.

    Args:
        value: a symbolic tensor or anything else.
        length: what other unknown lengths become; default: they stay unknown.
    """
    if not _is_symbolic(value) or not value.shape:
        return value
    known = (_BATCH, *[length] * (len(value.shape) - 1))
    shape = tuple(n if n is not None else k for n, k in zip(value.shape, known, strict=True))
    if shape == tuple(value.shape):
        return value
    return keras.Input(batch_shape=shape, dtype=value.dtype)


def _is_symbolic(value: Any) -> bool:
    return isinstance(value, keras.KerasTensor)


def _reshapes_to_size(operation: Any) -> bool:
    """Whether an operation is Keras' op that reshapes to a target with the fixed batch size."""
    kind = type(operation)
    is_op = kind.__name__ == "Reshape" and kind.__module__.startswith("keras.")
    target = getattr(operation, "newshape", None) if is_op else None
    return isinstance(target, tuple) and target[0] == _BATCH
