"""A float32 twin of a model that computes in another precision."""

from collections.abc import Iterator
from typing import Any

import keras

from keras_prune.errors import ExportError
from keras_prune.graph.calls import sublayers
from keras_prune.surgery.functions import findable
from keras_prune.utils.long_networks import long_networks
from keras_prune.utils.reasons import reason

_OTHERS = {"float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"}


def in_float32(model: keras.Model) -> keras.Model:
    """The model itself if all its layers compute in float32, else a copy whose layers do.

    TFLite has convolutions of no other precision, and a file that is to be compared with its model
    must not round differently.

    Args:
        model: a built model.

    Returns:
        A model with the same weights and only float32 computation, inputs and outputs included.

    Raises:
        ExportError: the model cannot be made again from its config.
    """
    policies = {layer.dtype_policy.name for layer in sublayers(model)}
    try:
        with findable(model):
            data = keras.saving.serialize_keras_object(model)
            if _OTHERS.isdisjoint(_dtypes(data)):
                return model
            with long_networks():
                twin = keras.saving.deserialize_keras_object(_changed(data))
    except (TypeError, ValueError, KeyError, NotImplementedError) as error:
        if _OTHERS.isdisjoint(policies):  # then nobody needs the config
            return model
        raise ExportError(
            "The model cannot be made again from its config, to compute in float32: "
            f"{reason(error)}"
        ) from error
    for new, old in zip(twin.weights, model.weights, strict=True):
        new.assign(keras.ops.cast(old, new.dtype))
    return twin


def _dtypes(data: Any, key: str = "") -> Iterator[str]:
    """The dtypes and policies that a config names."""
    if isinstance(data, dict):
        if data.get("class_name") == "DTypePolicy":
            yield data["config"]["name"]
        for name, value in data.items():
            yield from _dtypes(value, name)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _dtypes(value)
    elif key == "dtype" and isinstance(data, str):
        yield data


def _changed(data: Any, key: str = "") -> Any:
    """A config with float32 for every other float, in policies and inputs, and not compiled."""
    if isinstance(data, dict):
        if data.get("class_name") == "DTypePolicy" and data["config"]["name"] in _OTHERS:
            return data | {"config": {"name": "float32"}}
        kept = {name: value for name, value in data.items() if name != "compile_config"}
        return {name: _changed(value, name) for name, value in kept.items()}
    if isinstance(data, list | tuple):
        return type(data)(_changed(value) for value in data)
    return "float32" if key == "dtype" and isinstance(data, str) and data in _OTHERS else data
