"""How large a channel's activations are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from keras import ops

from keras_prune.criteria.calibrated import DataCriterion, Step
from keras_prune.criteria.reader import Reader, channel_sums
from keras_prune.graph import ChannelGraph


@dataclass(frozen=True)
class ReadingCriterion(DataCriterion):
    """The mean, over examples and positions, of some figure of what a channel's readers see."""

    def step(self, graph: ChannelGraph) -> Step:
        reader = Reader(graph)

        def step(inputs: list[Any], labels: Any) -> dict[str, Any]:
            _, reads = reader(inputs)
            figures = [ops.cast(self.figure(read.value), "float32") for read in reads]
            sums = channel_sums(graph, reads, figures, ops.shape(inputs[0])[0])
            return {
                name: ops.mean(found, axis=1) / ops.maximum(positions, 1.0)
                for name, (found, positions) in sums.items()
            }

        return step

    def figure(self, value: Any) -> Any:
        """The figure of each element."""
        raise NotImplementedError


@dataclass(frozen=True)
class Activation(ReadingCriterion):
    """`mean |a|` over examples and positions of what the layers that read a channel see of it.

    That is behind the BatchNorm, activation and pooling that follow the layer that makes it.

    Args:
        batch_size: examples at a time, where arrays are given; default 64. It changes no score.

    Reference: Molchanov et al., "Pruning Convolutional Neural Networks for Resource Efficient
    Inference", ICLR 2017, section 2.2 (the mean activation, for activations that are not negative).
    """

    name: ClassVar[str] = "activation"

    def figure(self, value: Any) -> Any:
        return ops.abs(value)
