"""Composite layers opened: the calls they make take their place in the graph.

They are layers of a user's, and those of Keras that run a model or a user's layer at each step.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import keras

from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.calling import is_foreign, runs_unknown
from keras_prune.graph.calls import Call, Trace, calls_between, execute, is_model
from keras_prune.graph.proving import Way, prove

Paths = dict[keras.Operation, str]
"""Operations and the names of the opened layers around them, joined by `_`."""


def open_layers(traced: Trace, made_anew: bool = False) -> Trace:
    """Puts the calls that composite layers make in their place, as far as that is proved exact.

    A layer that is opened at one call and not at another would own its weights twice, so all its
    calls stay then.

    Args:
        traced: a traced model.
        made_anew: whether its ops were made by this trace; default: they are the model's own.

    Returns:
        The opened trace; names are unique in it. Its `closed` says why some layers stayed.
    """
    closed: dict[keras.Operation, str] = {}
    paths: Paths = {call.operation: "" for call in traced.calls} if made_anew else {}
    opened = _opened(traced, closed, dict(paths))
    while opened is None:
        opened = _opened(traced, closed, dict(paths))
    return replace(opened, closed=closed)


def _opened(traced: Trace, closed: dict[keras.Operation, str], paths: Paths) -> Trace | None:
    """The opened trace, or None if a layer in `closed` turned up that had been opened already."""
    done: dict[keras.Operation, Way] = {}
    while calls := [call for call in traced.calls if _is_composite(call, closed)]:
        accepted: dict[keras.Operation, Way] = {}
        for call in calls:
            _try(call, accepted, closed)
        if done.keys() & closed.keys():
            return None
        accepted = {layer: way for layer, way in accepted.items() if layer not in closed}
        done |= accepted
        traced = _replayed(traced, accepted, paths)
    return replace(traced, calls=_named(traced.calls, paths)) if paths else traced


def _is_composite(call: Call, closed: Iterable[keras.Operation]) -> bool:
    """Whether a call is one that no rule knows and that was not tried yet."""
    operation = call.operation
    return (is_foreign(operation) or runs_unknown(operation)) and operation not in closed


def _try(
    call: Call, accepted: dict[keras.Operation, Way], closed: dict[keras.Operation, str]
) -> None:
    try:
        outputs, _, accepted[call.operation] = prove(call.operation, *call.symbolic_arguments)
        if not all(map(_agree, keras.tree.flatten(outputs), call.outputs)):
            raise Unsupported("it does not return the shapes it declares")
    except Unsupported as reason:
        closed.setdefault(call.operation, str(reason))


def _agree(a: keras.KerasTensor, b: keras.KerasTensor) -> bool:
    """Whether two shapes are one where both are known."""
    pairs = zip(a.shape, b.shape, strict=False)
    return len(a.shape) == len(b.shape) and all(x == y or None in (x, y) for x, y in pairs)


def _replayed(traced: Trace, accepted: dict[keras.Operation, Way], paths: Paths) -> Trace:
    """The trace with the accepted layers replaced by what they call."""
    if not accepted:
        return traced

    def run(operation: Any, *args: Any, **kwargs: Any) -> Any:
        if operation not in accepted:
            args, kwargs = _as_hidden(operation, args, kwargs)
            return operation(*args, **kwargs)
        results = accepted[operation](operation, args, kwargs)
        path = _join(paths.get(operation), operation.name)
        for call in calls_between(keras.tree.flatten((args, kwargs)), keras.tree.flatten(results)):
            paths.setdefault(call.operation, path)
        return results

    inputs = traced.flat_inputs
    values = execute(traced.calls, {id(tensor): tensor for tensor in inputs}, run)
    outputs = keras.tree.map_structure(lambda tensor: values[id(tensor)], traced.outputs)
    calls = calls_between(inputs, keras.tree.flatten(outputs))
    return replace(traced, calls=calls, outputs=outputs)


def _as_hidden(operation: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """What a layer of a user's is called with, where the layer in front of it was opened.

    Keras takes the product with a constant, which that one had hidden, to be sparse, and could not
    call the layer, nor load it. An activation that does nothing hides it again.
    """

    def hidden(x: Any) -> Any:
        if not getattr(x, "sparse", False):
            return x
        return keras.layers.Activation("linear", dtype=x.dtype, name=f"{operation.name}_input")(x)

    if not (is_foreign(operation) or is_model(operation)):
        return args, kwargs
    args, kwargs = keras.tree.map_structure(hidden, (args, kwargs))
    return args, kwargs


def _named(calls: Sequence[Call], paths: Paths) -> tuple[Call, ...]:
    """Calls with names that are unique, and the same each time the layers are opened.

    A name that is not unique goes behind those of the layers around. So does an op's kind, for the
    number in its own name says how many ops this process has made.
    """
    operations = dict.fromkeys(call.operation for call in calls)
    own = {operation: _own_name(operation, operation in paths) for operation in operations}
    shared = Counter(own.values())
    taken = {name for name, count in shared.items() if count == 1}
    names: dict[keras.Operation, str] = {}
    for operation, name in own.items():
        if shared[name] > 1:
            name = _free(_join(paths.get(operation), name), taken)
        taken.add(name)
        names[operation] = name
    return tuple(replace(call, name=names[call.operation]) for call in calls)


def _own_name(operation: keras.Operation, made_anew: bool) -> str:
    if isinstance(operation, keras.Layer) or not made_anew:
        return operation.name
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(operation).__name__).lower()


def _free(name: str, taken: set[str]) -> str:
    """The name, or with the first number that makes it new."""
    numbered, number = name, 0
    while numbered in taken:
        number += 1
        numbered = f"{name}_{number}"
    return numbered


def _join(path: str | None, name: str) -> str:
    return f"{path}_{name}" if path else name
