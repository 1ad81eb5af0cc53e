"""What several rules share: the channel axis, elementwise activations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Pin, Unsupported
from keras_prune.graph.calls import calls_between
from keras_prune.graph.rules.base import rule_for

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.labels import LabelWalk

# Activations that treat every channel alone. A softmax changes all channels when one leaves.
ELEMENTWISE = {
    keras.activations.get(name)
    for name in (
        "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu",
        "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "mish", "relu", "relu6", "selu",
        "sigmoid", "silu", "soft_shrink", "softplus", "softsign", "squareplus", "tanh",
        "tanh_shrink",
    )
}  # fmt: skip


def channel_axis(layer: Any) -> int:
    """The channel axis of a layer's tensors: 1 if it computes channels first, else the last."""
    data_format = getattr(layer, "data_format", "channels_last")
    return 1 if (data_format or keras.config.image_data_format()) == "channels_first" else -1


# Ops whose functions are named alike, and those of `tf.nn` and `tf.math`.
_ALONE = {
    "celu", "elu", "gelu", "hard_sigmoid", "hard_silu", "hard_swish", "identity", "leaky_relu",
    "log_sigmoid", "relu", "relu6", "selu", "sigmoid", "sign", "silu", "softplus", "softsign",
    "square", "swish", "tanh",
}  # fmt: skip


def is_elementwise(activation: Any) -> bool:
    """Whether an activation is known to treat every channel alone.

    Known are Keras' own and TensorFlow's by their names, and whatever is made of `keras.ops` that
    do: a function is run on a symbolic tensor to see.
    """
    if activation is None or activation in ELEMENTWISE:
        return True
    module, name = (getattr(activation, key, "") or "" for key in ("__module__", "__name__"))
    if module.startswith("tensorflow.python.") and name in _ALONE:
        return True
    return callable(activation) and _goes_by_element(activation)


def _goes_by_element(function: Any) -> bool:
    from keras_prune.graph.rules.channelwise import ElementwiseRule  # which need this module
    from keras_prune.graph.rules.joins import JoinRule

    tensor = keras.Input((4,))
    try:
        with keras.StatelessScope():
            calls = calls_between([tensor], [function(tensor)])
    except Exception:  # whatever a user's function does with a tensor that has no values
        return False
    return all(
        isinstance(rule_for(call.operation), ElementwiseRule | JoinRule)
        and not isinstance(call.operation, keras.layers.Layer)
        and all(np.ndim(value) == 0 for value in call.constants)
        for call in calls
    )


def pin_activation(call: Call, walk: LabelWalk, labels: np.ndarray) -> None:
    """Pins what a layer makes if its own `activation=` mixes channels or is unknown."""
    pin_function(call, walk, labels, getattr(call.operation, "activation", None))


def pin_function(call: Call, walk: LabelWalk, labels: np.ndarray, activation: Any) -> None:
    """Pins labels that run through a function if it mixes channels or is unknown."""
    if not is_elementwise(activation):
        name = getattr(activation, "__name__", type(activation).__name__)
        walk.pin(labels, Pin(call.name, f"its activation {name!r} may mix channels"))


def along_channels(call: Call, labels: np.ndarray) -> list[np.ndarray]:
    """Labels that vary along the channel axis only, in the shape of the call's output."""
    shape = arrays.shape_of(call.outputs[0])
    return [arrays.spread(labels, shape, channel_axis(call.operation))]


def as_output(labels: np.ndarray, tensor: keras.KerasTensor) -> np.ndarray:
    """Labels as those of a tensor that a call returns: what repeats is written once.

    Raises:
        Unsupported: channels would lie along an axis whose length a walk does not know.
    """
    small, shape = arrays.core(labels), arrays.shape_of(tensor)
    fits = small.ndim == len(shape)
    if not fits or any(a not in (1, b) for a, b in zip(small.shape, shape, strict=True)):
        raise Unsupported("it puts channels along the batch or an axis of unknown length")
    return np.broadcast_to(small, shape)


def arguments(call: Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What a call was given, with its symbolic tensors."""
    return call.arguments({id(tensor): tensor for tensor in call.inputs})


def positions(tensor: keras.KerasTensor, axis: int) -> int:
    """How many positions of one example a tensor has, its channel axis left out.

    Raises:
        ValueError: a length is unknown, so there is nothing to count.
    """
    lengths = list(tensor.shape)
    del lengths[axis], lengths[0]
    if None in lengths:
        raise ValueError(f"tensor {tensor.name!r} of shape {tensor.shape} has an unknown length")
    return int(np.prod(lengths, dtype=int))
