"""The functions a layer was given: its rebuilt form gets the same ones, not what has their name."""

from __future__ import annotations

import contextlib
import functools
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np

from keras_prune.graph.calls import sublayers
from keras_prune.surgery.initializers import holds_array

_OBJECTS = (
    keras.initializers.Initializer,
    keras.regularizers.Regularizer,
    keras.constraints.Constraint,
)
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, functools.partial)
_ROLES = ("activation", "initializer", "regularizer", "constraint")


@contextlib.contextmanager
def findable(operation: keras.Operation) -> Iterator[None]:
    """Lets Keras write down the functions and classes of a layer or model, and find them again.

    A config cannot tell of a partial function or a lambda, and tells of others by a name that may
    be that of another one. For a while each stands there under a name that leads to it.
    """
    owners = sublayers(operation)
    taken = [
        (vars(owner), name, value)
        for owner in owners
        for name, value in vars(owner).items()
        if _is_given(owner, name, value) and not _is_keras(value)
    ]
    known = _classes(owners)
    try:
        for attributes, name, value in taken:
            if holds_array(value):  # its config would hold it, too
                attributes[name] = keras.initializers.Zeros()
            else:
                alias = f"given_{len(known)}"
                known[alias] = value
                attributes[name] = _called(alias, value)
        with keras.saving.CustomObjectScope(known):
            yield
    finally:
        for attributes, name, value in taken:
            attributes[name] = value


def hand_over(old: keras.Operation, new: keras.Operation, name: str) -> None:
    """Gives a layer that is not built yet the very functions of the one it stands for.

    Args:
        old: the layer.
        new: another one of the same config.
        name: of the layer, for messages.

    Warns:
        UserWarning: a file of the new model would bring another function back.
    """
    pairs = list(zip(sublayers(old), sublayers(new), strict=False))
    if any(type(a) is not type(b) for a, b in pairs):  # sublayers that only `build` makes
        pairs = pairs[:1]
    for before, after in pairs:
        known = vars(after)
        for key, value in vars(before).items():
            if not _is_given(before, key, value) or _holds_on(value, old):
                continue
            if key in known and not holds_array(value):
                known[key] = value  # setting the attribute would track it
                if _is_mistaken(value):
                    _warn(name, key, value)


def _holds_on(function: Any, layer: keras.Operation) -> bool:
    """Whether a function was made by a layer, which it reads again when it is called."""
    cells = getattr(function, "__closure__", None)
    if not cells:
        return False
    owners = sublayers(layer)
    inside = {id(each) for owner in owners for each in (owner, *getattr(owner, "weights", ()))}
    return any(id(cell.cell_contents) in inside for cell in cells)


def _is_given(owner: keras.Operation, name: str, value: Any) -> bool:
    """Whether an attribute is a function or the like, and none of the layer's own methods."""
    if not callable(value):
        return False
    method = getattr(value, "__wrapped__", value)  # Keras wraps some of them for each layer
    if isinstance(method, types.MethodType) and method.__self__ is owner:
        return False
    if isinstance(value, keras.Layer):  # Keras' own are rebuilt, and so are weights
        return name.endswith("activation") and not _is_keras(value) and not value.weights
    return isinstance(value, (*_OBJECTS, *_FUNCTIONS)) or (
        name.endswith(_ROLES) and callable(value)
    )


def _is_keras(value: Any) -> bool:
    """Whether a config can tell of it: not of the functions in `keras.ops`."""
    if isinstance(value, types.FunctionType):
        return value.__module__.startswith("keras.src.activations.")
    return type(value).__module__.startswith("keras.")


def _classes(owners: Iterable[keras.Operation]) -> dict[str, Any]:
    """The classes that are not Keras' own, by the name in configs if it is that of one only."""
    kinds = {type(owner) for owner in owners if not type(owner).__module__.startswith("keras.")}
    names = Counter(map(keras.saving.get_registered_name, kinds))
    found = {keras.saving.get_registered_name(kind): kind for kind in kinds}
    return {name: kind for name, kind in found.items() if names[name] == 1}


def _called(alias: str, value: Callable[..., Any]) -> Callable[..., Any]:
    """A plain function of that name that does what a callable does."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return value(*args, **kwargs)

    function.__name__ = alias
    return function


def _is_mistaken(value: Any) -> bool:
    """Whether the name that Keras writes into a file is that of a function that does not do so."""
    if not isinstance(value, types.FunctionType) or value.__name__ == "<lambda>":
        return False
    with contextlib.suppress(Exception):  # which cannot be loaded is not mistaken
        found: Callable[..., Any] = keras.activations.get(keras.activations.serialize(value))
        if found is not value:
            points = np.linspace(-6, 6, 49, dtype="float32")[None]
            theirs, own = (keras.ops.convert_to_numpy(each(points)) for each in (found, value))
            return not np.allclose(theirs, own, atol=1e-6)
    return False


def _warn(layer: str, key: str, value: Any) -> None:
    warnings.warn(
        f"Layer {layer!r} has as its {key} a function of yours called {value.__name__!r}, which a "
        ".keras file takes for Keras' own of that name. Register it before you save: "
        "@keras.saving.register_keras_serializable().",
        stacklevel=2,
    )
