"""The curvature of the loss along a channel's gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from keras import ops

from keras_prune.criteria.calibrated import GradientCriterion, Step
from keras_prune.criteria.losses import per_example
from keras_prune.criteria.reader import Read, Reader
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from keras_prune.graph.slices import at_positions


@dataclass(frozen=True)
class Hessian(GradientCriterion):
    """`1/2 d^2C/dg^2` per example, averaged over examples, for a gate `g` on what readers see.

    By that much the loss `C` rises if the channel is silenced, where its gradient is zero: Optimal
    Brain Damage with the weights of a channel taken together. The diagonal is estimated with random
    signs (Hutchinson), drawn anew for each example, from two backward passes. A channel whose
    silencing helps scores below zero. BatchNorm uses its stored statistics.

    Args:
        batch_size: examples at a time, where arrays are given; default 64.
        loss: a loss of Keras, by name or as it is, or a function of labels and outputs with one
            value per example; default the cross-entropy of class numbers, for outputs that are
            logits or probabilities.
        probes: signs drawn for each example; more of them are more exact, and take longer.
        seed: of the signs.

    Reference: LeCun et al., "Optimal Brain Damage", NeurIPS 1989, section 2.2; of the diagonal
    Bekas et al., "An estimator for the diagonal of a matrix", 2007.

    Example:

    >>> import keras
    >>> import numpy as np
    >>> from keras_prune.graph import ChannelGraph
    >>> model = keras.Sequential([
    ...     keras.Input((2,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(2),
    ... ])
    >>> images, labels = np.ones((5, 2), "float32"), np.array([0, 1, 1, 0, 1])
    >>> Hessian()(ChannelGraph(model), (images, labels))["hidden"].shape
    (3,)
    """

    name: ClassVar[str] = "hessian"
    probes: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.probes < 1:
            raise ConfigError(f"Expected at least one probe. Received: probes={self.probes}.")

    def step(self, graph: ChannelGraph) -> Step:
        import tensorflow as tf

        reader, loss = Reader(graph), per_example(graph, self.loss)
        random = tf.random.Generator.from_seed(self.seed)
        sizes = {name: group.channels for name, group in graph.groups.items()}
        zero = tf.UnconnectedGradients.ZERO

        def step(inputs: list[Any], labels: Any) -> dict[str, Any]:
            examples = ops.shape(inputs[0])[0]
            gates = {name: tf.ones((size, examples)) for name, size in sizes.items()}
            with tf.GradientTape(persistent=self.probes > 1) as outer:
                outer.watch(gates)
                with tf.GradientTape(watch_accessed_variables=False) as inner:
                    inner.watch(gates)
                    outputs, _ = reader(inputs, lambda read: _gated(read, gates, examples))
                    values = loss(labels, outputs)
                first = inner.gradient(values, gates, unconnected_gradients=zero)
                first = {name: tf.convert_to_tensor(rows) for name, rows in first.items()}
            found = dict.fromkeys(sizes, 0.0)
            for _ in range(self.probes):
                signs = {
                    name: tf.sign(random.uniform((size, examples), -1, 1))
                    for name, size in sizes.items()
                }
                second = outer.gradient(first, gates, signs, unconnected_gradients=zero)
                for name in sizes:
                    found[name] += ops.mean(signs[name] * second[name], axis=1)
            return {name: total / (2 * self.probes) for name, total in found.items()}

        return step


def _gated(read: Read, gates: Mapping[str, Any], examples: Any) -> Any:
    """What is read, times the gate of the channel at each position, example by example."""
    factors: Any = 1.0
    for name, owner in read.owners.items():
        factors = factors * at_positions(gates[name], owner)
    rows = ops.shape(read.value)[read.examples_axis]
    factors = ops.repeat(factors, rows // examples, axis=1)
    shape = [1] * len(read.value.shape)
    shape[read.axis], shape[read.examples_axis] = read.value.shape[read.axis], rows
    if read.examples_axis < read.axis:
        factors = ops.transpose(factors)
    return read.value * ops.cast(ops.reshape(factors, shape), read.value.dtype)
