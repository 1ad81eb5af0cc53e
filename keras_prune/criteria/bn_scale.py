"""The scale that BatchNormalization gives a channel."""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np

from keras_prune.criteria.base import Scores
from keras_prune.criteria.weights import WeightCriterion
from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph, ChannelGroup, Member, Role


@dataclass(frozen=True)
class BNScale(WeightCriterion):
    """`|gamma|` of the BatchNormalization a channel goes through, summed where it is there twice.

    Best for networks trained with an L1 penalty on gamma.

    Args:
        reduction: how the scales of several BatchNormalizations become one: `"sum"`, `"mean"`,
            `"max"`, or `"first"`; default `"mean"`.

    Raises:
        ModelError: when called, if a group goes through no BatchNormalization with a scale.

    Reference: Liu et al., "Learning Efficient Convolutional Networks through Network Slimming",
    ICCV 2017, section 3.
    """

    name: ClassVar[str] = "bn_scale"

    def scores(self, graph: ChannelGraph, data: Any) -> Scores:
        without = [name for name, group in graph.groups.items() if not self.members(group)]
        if without:
            raise ModelError(
                "Criterion 'bn_scale' expects a BatchNormalization with a scale in every group. "
                f"Received none in: {', '.join(without)}. Use another criterion, such as 'l1'."
            )
        return super().scores(graph, data)

    def members(self, group: ChannelGroup) -> list[Member]:
        return [member for member in group.by_role(Role.CHANNELWISE) if _is_scale(member)]

    def measure(self, slices: np.ndarray) -> np.ndarray:
        return np.abs(slices).sum(axis=1, dtype="float64")


def _is_scale(member: Member) -> bool:
    layer: Any = member.binding.layer
    is_norm = isinstance(layer, keras.layers.BatchNormalization)
    return is_norm and member.binding.variable is layer.gamma
