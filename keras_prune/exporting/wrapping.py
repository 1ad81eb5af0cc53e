"""A model with its pre-processing in front and a fixed batch size."""

import keras

from keras_prune.errors import ExportError
from keras_prune.utils.long_networks import long_networks
from keras_prune.utils.reasons import reason


def wrapped(
    model: keras.Model,
    preprocessing: keras.Layer | None = None,
    batch_size: int | None = None,
) -> keras.Model:
    """The model as it is to be deployed.

    Args:
        model: a built model.
        preprocessing: a layer, or a built model with inputs of its own (another shape or dtype),
            whose output the model takes.
        batch_size: the only one that the result accepts; default any.

    Returns:
        The model itself if there is nothing to add, else a model around it that shares its weights.

    Raises:
        ExportError: the pre-processing is no layer, or the model does not take what it returns.
    """
    if preprocessing is None and batch_size is None:
        return model
    if not isinstance(preprocessing, keras.Layer | None):
        raise ExportError(
            "Expected `preprocessing` to be a Keras layer or a built Keras model. Received: "
            f"{type(preprocessing).__name__}."
        )
    entry = preprocessing if isinstance(preprocessing, keras.Model) else model
    inputs = [
        keras.Input(
            batch_shape=(batch_size, *tensor.shape[1:]), dtype=tensor.dtype, name=tensor.name
        )
        for tensor in entry.inputs
    ]
    try:
        tensors = _call(preprocessing, inputs) if preprocessing is not None else inputs
        with long_networks():
            return keras.Model(inputs, _call(model, tensors), name=model.name)
    except ValueError as error:  # Keras' word for shapes that do not meet
        raise ExportError(
            f"The model does not take what `preprocessing` returns: {reason(error)}"
        ) from error


def _call(layer: keras.Layer, tensors: list[keras.KerasTensor]) -> list[keras.KerasTensor]:
    result = layer(tensors if len(tensors) > 1 else tensors[0])
    return list(keras.tree.flatten(result))
