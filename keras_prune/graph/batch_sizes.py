"""Models whose `call` asks for the batch size, traced for any of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.calls import Call, calls_between, execute
from keras_prune.graph.proving import check_values, prove

_BATCH = 3  # another one than that of the trial run at the end


def prove_at_any_batch(model: keras.Model, inputs: Any) -> tuple[Any, tuple[Call, ...]]:
    """`prove` for a model that may reshape by `keras.ops.shape(x)[0]`.

    On a symbolic input of any batch size that is None, which no reshape takes. Traced at one size,
    it is a number: reshapes to it are rebuilt to take what comes, and the result is proved again.

    Args:
        model: the model.
        inputs: its symbolic inputs.

    Raises:
        Unsupported: see `prove`.
    """
    try:
        return prove(model, (inputs,), {})
    except Unsupported:
        fixed = keras.tree.map_structure(_at_one_size, inputs)
        outputs, calls = prove(model, (fixed,), {})
    known = zip(keras.tree.flatten(fixed), keras.tree.flatten(inputs), strict=True)
    values = execute(calls, {id(old): new for old, new in known}, _Freed(calls))
    outputs = keras.tree.map_structure(lambda tensor: values[id(tensor)], outputs)
    calls = calls_between(keras.tree.flatten(inputs), keras.tree.flatten(outputs))
    check_values(model, (inputs,), {}, outputs, calls)
    return outputs, calls


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


def _at_one_size(tensor: keras.KerasTensor) -> keras.KerasTensor:
    return keras.Input(batch_shape=(_BATCH, *tensor.shape[1:]), dtype=tensor.dtype)


def _reshapes_to_size(operation: Any) -> bool:
    """Whether an operation is Keras' op that reshapes to a target with the fixed batch size."""
    kind = type(operation)
    is_op = kind.__name__ == "Reshape" and kind.__module__.startswith("keras.")
    target = getattr(operation, "newshape", None) if is_op else None
    return isinstance(target, tuple) and target[0] == _BATCH
