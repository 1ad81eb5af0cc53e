"""What a group of channels, or a residual block, owns of a weight."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_prune.graph.bindings import Binding


@dataclass(frozen=True)
class Member:
    """A weight's axis that shrinks with a group.

    Args:
        binding: the weight and the axis.
        owner: for each position of the axis the channel of the group it belongs to, -1 for one of
            another group or one that stays; shape `(length of the axis,)`.
    """

    binding: Binding
    owner: np.ndarray

    @property
    def is_scale(self) -> bool:
        """Whether the weight is the scale that a BatchNormalization gives each channel."""
        layer: Any = self.binding.layer
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        return is_norm and self.binding.variable is layer.gamma
