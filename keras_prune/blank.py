"""Layers that are built with zeros, since the weights they are given overwrite them at once.

Drawing random weights is most of what building a large dense layer costs. The initialisers stay in
the layers' configs.
"""

from typing import Any

import keras


def blanked(layer: keras.Operation, config: dict[str, Any]) -> dict[str, Any]:
    """A config for a layer like the given one, whose weights start as zeros.

    Example:

    >>> dense = keras.layers.Dense(3)
    >>> blanked(dense, dense.get_config())["kernel_initializer"]
    'zeros'
    """
    return config | dict.fromkeys(_initializers(layer).keys() & config.keys(), "zeros")


def restore(layer: keras.Layer, original: keras.Layer) -> None:
    """Gives a layer that was built from a blanked config initialisers like the original's."""
    for name, initializer in _initializers(original).items():
        if name in vars(layer):
            setattr(layer, name, initializer.from_config(initializer.get_config()))


def _initializers(layer: keras.Operation) -> dict[str, keras.initializers.Initializer]:
    """The attributes by which Keras' own layers pass an initialiser from config to weight."""
    if not type(layer).__module__.startswith("keras."):
        return {}
    return {
        name: value
        for name, value in vars(layer).items()
        if name.endswith("_initializer") and isinstance(value, keras.initializers.Initializer)
    }
