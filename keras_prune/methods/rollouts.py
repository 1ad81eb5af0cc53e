"""Accuracy under a mask, fast: one compiled function, features before the groups computed once.

BatchNormalization behind a group normalises by the statistics of the rollout's own images. The
stored ones describe the unpruned network: under a mask they cost accuracy that a few training steps
bring back, and hide which channels matter (Li et al., "EagleEye", ECCV 2020, section 3).
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph, ChannelGroup, execute, split
from keras_prune.silencing import masked_weights
from keras_prune.training import computing_in

_BATCH = 250


class Rollouts:
    """Measures the accuracy of a network some of whose channels are silenced.

    Args:
        graph: the walked network; one input, one output of class scores.
        groups: the groups that are being decided. All that masks on them cannot change is
            computed here, once.
        images: float32, shape `(examples, height, width, channels)`.
        labels: int, shape `(examples,)`.
        precision: `"float32"` or `"mixed_bfloat16"`.

    Raises:
        ModelError: the graph admits norms, whose statistic changes with the mask.
    """

    def __init__(
        self,
        graph: ChannelGraph,
        groups: Sequence[ChannelGroup],
        images: np.ndarray,
        labels: np.ndarray,
        precision: str = "float32",
    ) -> None:
        if graph.statistics:
            raise ModelError(
                "Expected a graph without admitted norms. Received one where "
                f"{graph.statistics[0].layer.name!r} may lose channels. Use ChannelGraph(model)."
            )
        self._graph = graph
        self._groups = groups
        self._split = split(graph, groups)
        self._examples = len(images)
        with computing_in(precision, graph.model):  # what is traced inside keeps the precision
            self._batches = self._features(images, labels)
            self.correct = tf.function(self._correct, input_signature=self._signature())
            self.correct.get_concrete_function()

    def accuracy(self, mask: np.ndarray) -> float:
        """Accuracy in percent with the channels whose mask is 0 silenced.

        Args:
            mask: 1 = keep, shape `(channels,)`, those of all groups end to end.
        """
        mask = tf.constant(mask, tf.float32)
        right = sum(int(self.correct(mask, *batch)) for batch in self._batches)
        return 100.0 * right / self._examples

    @property
    def _channels(self) -> list[int]:
        return [group.channels for group in self._groups]

    def _features(self, images: np.ndarray, labels: np.ndarray) -> list[Any]:
        """Per batch what passes from the early to the late half, and the right answers."""
        early = tf.function(self._early).get_concrete_function(_any_batch(images))
        batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(_even(len(images)))
        return [(early(x), tf.cast(y, tf.int64)) for x, y in batches]

    def _signature(self) -> list[Any]:
        features, answers = self._batches[0]
        mask = tf.TensorSpec((sum(self._channels),), tf.float32)
        return [mask, [_any_batch(value) for value in features], _any_batch(answers)]

    def _early(self, images: tf.Tensor) -> list[tf.Tensor]:
        [source] = self._graph.trace.flat_inputs
        values = execute(self._split.early, {id(source): images})
        return [values[id(tensor)] for tensor in self._split.frontier]

    def _correct(self, mask: tf.Tensor, features: list[tf.Tensor], labels: tf.Tensor) -> tf.Tensor:
        known = {id(t): value for t, value in zip(self._split.frontier, features, strict=True)}
        masks = tf.split(mask, self._channels)
        with keras.StatelessScope(state_mapping=masked_weights(self._groups, masks)):
            values = execute(self._split.late, known, self._run)
        [output] = self._graph.trace.flat_outputs
        guesses = tf.argmax(values[id(output)], axis=-1)
        return tf.reduce_sum(tf.cast(guesses == labels, tf.int64))

    def _run(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls an operation; a nested model is run call by call, for the norms it may hold."""
        if isinstance(operation, keras.layers.BatchNormalization):
            return operation(*args, **kwargs, training=True)
        nested = self._graph.traces.get(id(operation))
        if nested is None or len(nested.flat_inputs) > 1:
            return operation(*args, **kwargs)
        given = keras.tree.flatten((args, kwargs))[0]
        values = execute(nested.calls, {id(nested.flat_inputs[0]): given}, self._run)
        return [values[id(tensor)] for tensor in nested.flat_outputs]


def _even(examples: int) -> int:
    """A batch size of at most `_BATCH` that leaves no small last batch with poor statistics."""
    return math.ceil(examples / math.ceil(examples / _BATCH))


def _any_batch(tensor: tf.Tensor | np.ndarray) -> tf.TensorSpec:
    return tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype)
