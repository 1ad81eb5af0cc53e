"""A norm whose statistic runs over the channels of a mask only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("keras_prune")
class MaskedNorm(keras.layers.Layer):
    """A norm that treats some channels as if they were not there.

    Outputs of channels that are left out are finite and mean nothing.

    Args:
        norm: a LayerNormalization, GroupNormalization, RMSNormalization or UnitNormalization.
        axis: the channel axis, counted from the end.
        kept: the channels that count, ascending; of each group of a GroupNormalization as many.

    Example:

    >>> norm = MaskedNorm(keras.layers.LayerNormalization(epsilon=1e-6), -1, [0, 2])
    >>> norm(np.array([[1.0, 9.0, 3.0]]))[0, ::2].numpy().round(3).tolist()
    [-1.0, 1.0]
    """

    def __init__(self, norm: keras.Layer, axis: int, kept: Sequence[int], **options: Any) -> None:
        super().__init__(**{"dtype": norm.dtype_policy} | options)
        self.norm, self.axis, self.kept = norm, axis, list(kept)
        self.autocast = norm.autocast
        self.supports_masking = norm.supports_masking

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Builds the norm."""
        if not self.norm.built:
            self.norm.build(shape)

    def call(self, x: Any) -> Any:
        """The norm of the channels that count.

        The norm runs over zeros, too, so that its mean square is `share` times that of the channels
        that count. What it adds at the end is what it makes of zero.
        """
        channels = x.shape[self.axis]
        kept = np.isin(np.arange(channels), self.kept).reshape(-1, *[1] * (-1 - self.axis))
        mask = ops.cast(kept, x.dtype)
        share = 1.0 if _sums(self.norm) else (len(self.kept) / channels) ** 0.5
        x = x * mask
        if _centres(self.norm):
            x = (x - _mean(self.norm, x) * (channels / len(self.kept))) * mask
        offset = self.norm(ops.zeros_like(x[:1]))
        return (self.norm(x / share) - offset) * share + offset

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return shape

    def get_config(self) -> dict[str, Any]:
        """All that `__init__` takes."""
        norm = keras.saving.serialize_keras_object(self.norm)
        return super().get_config() | {"norm": norm, "axis": self.axis, "kept": self.kept}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MaskedNorm:
        """Makes the norm from its own config first."""
        norm = keras.saving.deserialize_keras_object(config["norm"])
        return cls(**config | {"norm": norm})


def _sums(norm: keras.Layer) -> bool:
    """Whether a norm divides by a sum of squares, not a mean."""
    return isinstance(norm, keras.layers.UnitNormalization)


def _centres(norm: keras.Layer) -> bool:
    return isinstance(norm, keras.layers.LayerNormalization | keras.layers.GroupNormalization)


def _mean(norm: Any, x: Any) -> Any:
    """The mean a norm subtracts, in a shape that broadcasts against `x`."""
    if not isinstance(norm, keras.layers.GroupNormalization):
        return ops.mean(x, axis=tuple(norm.axis), keepdims=True)
    axis, channels = norm.axis % len(x.shape), x.shape[norm.axis]
    others = [other for other in range(1, len(x.shape)) if other != axis]
    grouped = ops.reshape(ops.mean(x, axis=others), (-1, norm.groups, channels // norm.groups))
    mean = ops.repeat(ops.mean(grouped, axis=-1), channels // norm.groups, axis=-1)
    shape = [1] * len(x.shape)
    shape[0], shape[axis] = -1, channels
    return ops.reshape(mean, shape)
