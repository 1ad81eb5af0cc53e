"""The scale that BatchNormalization gives a channel."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from keras_prune.criteria.base import Scores
from keras_prune.criteria.weights import WeightCriterion
from keras_prune.graph import ChannelGraph, ChannelGroup, Member, Role


@dataclass(frozen=True)
class BNScale(WeightCriterion):
    """`|gamma|` of the BatchNormalization a channel goes through, summed where it is there twice.

    Best for networks trained with an L1 penalty on gamma.

    Args:
        reduction: how the scales of several BatchNormalizations become one: `"sum"`, `"mean"`,
            `"max"`, `"prod"`, or `"first"`; default `"mean"`.

    A group that goes through no BatchNormalization with a scale gets no score and stays whole.

    Raises:
        ModelError: when called, if every group is one of these.

    Reference: Liu et al., "Learning Efficient Convolutional Networks through Network Slimming",
    ICCV 2017, section 3.
    """

    name: ClassVar[str] = "bn_scale"

    def scores(self, graph: ChannelGraph, data: Any) -> Scores:
        scored = (name for name, group in graph.groups.items() if self.members(group))
        return {name: self.group_scores(graph.groups[name]) for name in scored}

    def unscored(self, graph: ChannelGraph) -> dict[str, str]:
        return {
            name: "its channels go through no BatchNormalization with a scale"
            for name, group in graph.groups.items()
            if not self.members(group)
        }

    def members(self, group: ChannelGroup) -> list[Member]:
        return [member for member in group.by_role(Role.CHANNELWISE) if member.is_scale]

    def measure(self, slices: np.ndarray) -> np.ndarray:
        return np.abs(slices).sum(axis=1, dtype="float64")
