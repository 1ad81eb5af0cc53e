"""How often a channel's activations are zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from keras import ops

from keras_prune.criteria.activation import ReadingCriterion


@dataclass(frozen=True)
class APoZ(ReadingCriterion):
    """`1 - APoZ`: the fraction of activations that are not zero, so that higher means keep.

    It is meant for ReLUs; other activations are hardly ever zero. What counts is what the layers
    that read a channel see: behind a pooling layer that is zero where a whole window is.

    Args:
        batch_size: examples at a time, where arrays are given; default 64. It changes no score.

    Reference: Hu et al., "Network Trimming: A Data-Driven Neuron Pruning Approach towards Efficient
    Deep Architectures", arXiv 1607.03250, section 3.1.
    """

    name: ClassVar[str] = "apoz"

    def figure(self, value: Any) -> Any:
        return ops.not_equal(value, 0)
