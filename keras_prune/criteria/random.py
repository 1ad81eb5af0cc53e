"""Scores by chance: what any other criterion has to beat."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from keras_prune.criteria.base import Criterion, Scores
from keras_prune.graph import ChannelGraph


@dataclass(frozen=True)
class Random(Criterion):
    """Uniform in [0, 1), drawn group by group.

    Args:
        seed: the same seed gives the same scores; default 0.
    """

    name: ClassVar[str] = "random"
    seed: int = 0

    def scores(self, graph: ChannelGraph, data: Any) -> Scores:
        generator = np.random.default_rng(self.seed)
        return {name: generator.random(group.channels) for name, group in graph.groups.items()}
