"""Which weights make a tensor zero: what is silenced where two tensors are multiplied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import keras

from keras_prune.graph.rules.common import is_elementwise

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call

layers = keras.layers

_MAKERS = (
    layers.Dense, layers.EinsumDense, layers.Conv1D, layers.Conv2D, layers.Conv3D,
)  # fmt: skip
_TABLES = tuple(
    getattr(layers, name) for name in ("Embedding", "ReversibleEmbedding") if hasattr(layers, name)
)
_NORMS = (layers.BatchNormalization, layers.LayerNormalization, layers.RMSNormalization)
_KEEP_ZERO = (
    "Abs", "Absolute", "Cast", "Copy", "Dropout", "ExpandDims", "Flatten", "Flip", "GetItem",
    "Identity", "Moveaxis", "Negative", "Permute", "Repeat", "Reshape", "Split", "SpatialDropout1D",
    "Squeeze", "StopGradient", "Swapaxes", "Transpose",
)  # fmt: skip
_ACTIVATIONS = ("Elu", "Gelu", "LeakyRelu", "Relu", "Relu6", "Selu", "Silu", "Tanh")
_BY_ELEMENT = ("Add", "Divide", "Multiply", "Subtract", "TrueDivide")
_JOIN = ("Add", "Concatenate", "Stack", "Subtract")


class Channels(Protocol):
    """What is known of channels when weights are looked for."""

    @property
    def made_by(self) -> Mapping[int, Call]:
        """The call that makes each tensor, by `id`."""

    def channels_of(self, tensor: keras.KerasTensor) -> set[int]:
        """The channels along a tensor that may leave."""

    def channels_tied(self, variable: keras.Variable) -> set[int]:
        """Those that axes of a weight are tied to."""


def silencers(tensor: keras.KerasTensor, known: Channels) -> Sequence[keras.Variable] | None:
    """Weights whose slices of a channel, once zero, make the channel of a tensor zero.

    Args:
        tensor: a tensor of the model.
        known: what makes it, and where its channels are.

    Returns:
        The weights; None if there are none of which that is known.
    """
    call = known.made_by.get(id(tensor))
    if call is None:
        return None
    own = _own(call.operation)
    if own is not None:  # channels that only pass along another axis are not silenced there
        held = known.channels_of(tensor)
        return own if own and all(held <= known.channels_tied(w) for w in own) else None
    return _behind(tensor, call, known)


def _own(operation: Any) -> list[keras.Variable] | None:
    """The weights of an operation that returns zero without them: none, or None if it has none."""
    kind = type(operation)
    if kind in _TABLES:
        return [operation.embeddings] if hasattr(operation.embeddings, "path") else []
    if kind in _NORMS:
        return _scale_and_offset(operation)
    if kind in _MAKERS:
        own = [operation.kernel, *([operation.bias] if operation.bias is not None else [])]
        return own if _keeps_zero(operation.activation) else []
    return None


def _behind(
    tensor: keras.KerasTensor, call: Call, known: Channels
) -> Sequence[keras.Variable] | None:
    """The weights that make what an operation reads zero, where it then returns zero."""
    operation: Any = call.operation
    kind = type(operation)
    if not kind.__module__.startswith("keras."):
        return None
    found = [silencers(inner, known) for inner in call.inputs]
    if kind.__name__ in _BY_ELEMENT:  # what is repeated along the channels is not one of them
        held = known.channels_of(tensor)
        pairs = zip(found, call.inputs, strict=True)
        found = [w if held <= known.channels_of(inner) else None for w, inner in pairs]
    if kind.__name__ == "Multiply":
        return next((weights for weights in found if weights), None)
    if kind.__name__ in ("Divide", "TrueDivide"):
        args, _ = call.symbolic_arguments
        return found[0] if args and args[0] is call.inputs[0] else None
    activation = kind is layers.Activation and _keeps_zero(operation.activation)
    alone = kind.__name__ in (*_KEEP_ZERO, *_ACTIVATIONS) or kind is layers.ReLU or activation
    joined = kind.__name__ in _JOIN and not any(map(_is_array, call.constants))
    if not (alone or joined) or None in found:
        return None
    return [weight for weights in found for weight in weights or ()]


def _scale_and_offset(norm: Any) -> list[keras.Variable]:
    """The weights of a norm, without which it returns zero; none if it has no scale."""
    scale = norm.scale if isinstance(norm, layers.RMSNormalization) else norm.gamma
    offset = getattr(norm, "beta", None)
    if scale is None:
        return []
    return [scale] if offset is None else [scale, offset]


def _keeps_zero(activation: Any) -> bool:
    """Whether a function goes by element and leaves zero what it is."""
    return is_elementwise(activation) and (
        activation is None or float(activation(keras.ops.zeros(()))) == 0
    )


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") or isinstance(value, float)
