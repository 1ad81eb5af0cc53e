"""Initialisers that cost nothing while a layer is rebuilt; its weights are copied anyway."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def with_zeros(operation: keras.Operation, config: dict[str, Any]) -> dict[str, Any]:
    """A layer's config with every initialiser of its own replaced by zeros.

    An initialiser that holds an array would not even fit the smaller weights.
    """
    zeros = keras.initializers.serialize(keras.initializers.Zeros())
    return config | dict.fromkeys(_initializers(operation, config), zeros)


def restore(old: keras.Operation, new: Any) -> None:
    """Gives a rebuilt layer the original's initialisers back, but those that hold an array."""
    config = old.get_config()
    for key in _initializers(old, config):
        if not _holds_array(getattr(old, key)) and key in vars(new):
            setattr(new, key, keras.initializers.get(config[key]))


def _initializers(operation: keras.Operation, config: dict[str, Any]) -> list[str]:
    """The keys of a config that say how weights start, where they can be set once it is built."""
    return [
        key
        for key in config
        if isinstance(vars(operation).get(key), keras.initializers.Initializer)
    ]


def _holds_array(initializer: Any) -> bool:
    return any(np.ndim(value) for value in keras.tree.flatten(vars(initializer)))
