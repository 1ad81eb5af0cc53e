"""A float32 twin of a model that computes in a lower precision."""

from typing import Any

import keras


def in_float32(model: keras.Model) -> keras.Model:
    """The model itself if all its layers compute in float32, else a copy whose layers do.

    TFLite has no bfloat16 convolution, and a file that is to be compared with its model must not
    round differently.

    Args:
        model: a built model.

    Returns:
        A model with the same weights and only float32 computation.
    """
    data = keras.saving.serialize_keras_object(model)
    if not _mixed(data):
        return model
    twin = keras.saving.deserialize_keras_object(_unmixed(data))
    twin.set_weights(model.get_weights())
    return twin


def _mixed(data: Any) -> bool:
    if isinstance(data, dict):
        return _is_mixed_policy(data) or any(_mixed(value) for value in data.values())
    return isinstance(data, list | tuple) and any(_mixed(value) for value in data)


def _unmixed(data: Any) -> Any:
    if isinstance(data, dict):
        if _is_mixed_policy(data):
            return data | {"config": {"name": "float32"}}
        return {key: _unmixed(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(_unmixed(value) for value in data)
    return data


def _is_mixed_policy(data: dict[str, Any]) -> bool:
    name = data.get("config", {}).get("name") if data.get("class_name") == "DTypePolicy" else None
    return isinstance(name, str) and name.startswith("mixed_")
