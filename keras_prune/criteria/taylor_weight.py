"""Weight times gradient: by how much the loss would change without a channel's weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from keras import ops

from keras_prune.criteria.base import Scores
from keras_prune.criteria.calibrated import GradientCriterion, Step
from keras_prune.criteria.losses import per_example
from keras_prune.criteria.reader import Reader
from keras_prune.criteria.reductions import check_reduction, counted, joined
from keras_prune.graph import ChannelGraph, ChannelGroup, Member
from keras_prune.graph.slices import slice_sums


@dataclass(frozen=True)
class TaylorWeight(GradientCriterion):
    """`(sum w dC/dw)^2` over the slices of a channel, with the gradient of the mean loss `C` of a
    batch, averaged over batches by their size.

    Signs matter within a kernel: what two weights add and take away cancels. The scores of several
    kernels are joined by a reduction. BatchNorm uses its stored statistics.

    Args:
        batch_size: examples in a batch, where arrays are given; default 64. Scores depend on it.
        loss: a loss of Keras, by name or as it is, or a function of labels and outputs with one
            value per example; default the cross-entropy of class numbers, for outputs that are
            logits or probabilities.
        reduction: how the scores of a group's kernels become one: `"sum"`, `"mean"`, `"max"`,
            `"prod"`, or `"first"` (the first producer alone); default `"mean"`.
        consumers: whether the kernels that read the channel count, too; default True.
        affine: whether all else that is trained of a channel counts, too: biases, scales and
            shifts of norms, depthwise kernels; default False. Not with `"prod"`.

    Reference: Molchanov et al., "Importance Estimation for Neural Network Pruning", CVPR 2019,
    section 3.1.
    """

    name: ClassVar[str] = "taylor_weight"
    reduction: str = "mean"
    consumers: bool = True
    affine: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_reduction(self.reduction, self.affine)

    def step(self, graph: ChannelGraph) -> Step:
        import tensorflow as tf

        reader, loss = Reader(graph), per_example(graph, self.loss)

        def step(inputs: list[Any], labels: Any) -> dict[str, Any]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                weights = {
                    id(member.binding.variable): member.binding.variable.value
                    for group in graph.groups.values()
                    for member in self._members(group)
                }
                tape.watch(list(weights.values()))
                outputs, _ = reader(inputs)
                mean = ops.mean(loss(labels, outputs))
            zero = tf.UnconnectedGradients.ZERO
            gradients = tape.gradient(mean, weights, unconnected_gradients=zero)
            products = {key: weights[key] * tf.convert_to_tensor(gradients[key]) for key in weights}
            return {name: self._squares(group, products) for name, group in graph.groups.items()}

        return step

    def joined(self, graph: ChannelGraph, means: dict[str, Any]) -> Scores:
        def score(group: ChannelGroup) -> np.ndarray:
            members = self._members(group)
            rows = dict(zip(map(id, members), means[group.name], strict=True))
            return joined(group, members, lambda member: rows[id(member)], self.reduction)

        return {name: score(group) for name, group in graph.groups.items()}

    def _members(self, group: ChannelGroup) -> list[Member]:
        return counted(group, self.consumers, self.affine)

    def _squares(self, group: ChannelGroup, products: dict[int, Any]) -> Any:
        """The squared sums of each kernel, `(kernels, channels)`."""
        rows = []
        for member in self._members(group):
            product = products[id(member.binding.variable)]
            rows.append(ops.square(slice_sums(product, member, group.channels)))
        return ops.stack(rows)
