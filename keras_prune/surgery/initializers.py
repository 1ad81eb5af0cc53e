"""The weights of a layer that is rebuilt start with the values they are to have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

_SINGLE = (bool, int, float, str, type(None))


class InitialValues:
    """Hands a new layer the values of its weights while it builds itself.

    Zeros that are overwritten later would cost an op and a copy more for each weight.

    Args:
        layer: a layer that is not built yet.
        names: of the weights it is going to make; `add_weight` is told them.
        values: an array for each.
    """

    def __init__(
        self, layer: keras.Layer, names: Sequence[str], values: Sequence[np.ndarray]
    ) -> None:
        self.values = values
        self._layer = layer
        self._named = dict(zip(names, values, strict=True))
        self._made: dict[int, np.ndarray] = {}
        self._add_weight = layer.add_weight
        vars(layer)["add_weight"] = self._add_with_value  # setting the attribute would track it

    def settle(self) -> None:
        """Gives the built layer its method back, and assigns the values that it did not take."""
        del vars(self._layer)["add_weight"]
        trusted = _built_by_keras(self._layer)
        for weight, value in zip(self._layer.weights, self.values, strict=True):
            if not trusted or self._made.get(id(weight)) is not value:
                weight.assign(value)

    def _add_with_value(self, *args: Any, **kwargs: Any) -> keras.Variable:
        value = self._named.get(kwargs.get("name", ""))
        if value is None or tuple(kwargs.get("shape", ())) != value.shape:
            return self._add_weight(*args, **kwargs)
        own = value if value.flags.owndata else value.copy()  # PyTorch shares what it is given
        kwargs["initializer"] = lambda shape, dtype=None: own
        weight = self._add_weight(*args, **kwargs)
        self._made[id(weight)] = value
        return weight


def without_arrays(operation: keras.Operation, config: dict[str, Any]) -> dict[str, Any]:
    """A layer's config with zeros for initialisers that hold an array: it may not fit any more."""
    arrays = [key for key in config if holds_array(vars(operation).get(key))]
    return config | dict.fromkeys(arrays, keras.initializers.serialize(keras.initializers.Zeros()))


def holds_array(initializer: Any) -> bool:
    """Whether something is an initialiser with values of its own for each weight."""
    return isinstance(initializer, keras.initializers.Initializer) and any(
        np.ndim(value)
        for value in keras.tree.flatten(vars(initializer))
        if not isinstance(value, _SINGLE)  # which `np.ndim` makes an array of to see
    )


def _built_by_keras(layer: keras.Layer) -> bool:
    """Whether Keras' own code makes the weights; another may change them once they are made."""
    methods = (type(layer).build, type(layer).add_weight)
    return all(method.__module__.startswith("keras.") for method in methods)
