"""Values under masks, fast: one compiled function, features before the groups computed once.

BatchNormalization behind a group normalises by the statistics of the rollout's own examples. The
stored ones describe the unpruned network: under a mask they cost accuracy that a few training steps
bring back, and hide which channels matter (Li et al., "EagleEye", ECCV 2020, section 3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_prune.errors import ConfigError, ModelError
from keras_prune.graph import ChannelGraph, ChannelGroup, ResidualBlock, execute, split
from keras_prune.surgery import masked_weights
from keras_prune.training import Task, computing_in
from keras_prune.training.calibration import in_order
from keras_prune.training.classifier import sharing_layers
from keras_prune.training.evaluation import misfit
from keras_prune.training.objective import check_figure
from keras_prune.training.task import Examples
from keras_prune.utils.progress import percent

_BATCH = 250


class LocalEvaluator:
    """Measures masks in this process.

    Args:
        graph: the walked network.
        groups: the groups and residual blocks that are being decided. All that masks on them
            cannot change is computed here, once.
        task: bound to the network; its loss, metrics and objective count.
        examples: what is measured on: inputs, labels and sample weights or None.
        precision: `"float32"` or `"mixed_bfloat16"`.

    Raises:
        ModelError: the graph admits norms, whose statistic changes with the mask.
        ConfigError: loss or metrics do not fit the outputs and labels.
    """

    def __init__(
        self,
        graph: ChannelGraph,
        groups: Sequence[ChannelGroup | ResidualBlock],
        task: Task,
        examples: Examples,
        precision: str = "float32",
    ) -> None:
        if graph.statistics:
            raise ModelError(
                "Expected a graph without admitted norms. Received one where "
                f"{graph.statistics[0].layer.name!r} may lose channels. Use ChannelGraph(model)."
            )
        self._graph, self._groups = graph, groups
        self._metric, self._examples = task.objective.metric, len(keras.tree.flatten(examples)[0])
        self._split = split(graph, groups)
        self._judge = sharing_layers(graph.model)
        self._judge.compile(**task.compiled(graph.model).arguments())
        self._loss = keras.metrics.Mean(name="loss")
        with computing_in(precision, graph.model):  # what is traced inside keeps the precision
            self._batches = self._features(*examples)
            self._build_metrics()
            signature = [tf.TensorSpec((sum(self._channels),), tf.float32), _any(self._batches[0])]
            self.update = tf.function(self._update, input_signature=signature)
            self.update.get_concrete_function()

    def evaluate(self, masks: np.ndarray) -> np.ndarray:
        """The objective under each mask; see `Evaluator`."""
        return np.array([self._value(mask) for mask in np.atleast_2d(masks)])

    def _value(self, mask: np.ndarray) -> float:
        self._reset()
        given = tf.constant(mask, tf.float32)
        for batch in self._batches:
            self.update(given, batch)
        return self._result()

    def _result(self) -> float:
        found = percent(self._judge.get_metrics_result() | {"loss": self._loss.result()})
        if self._metric not in found:
            raise ConfigError(
                f"The objective {self._metric!r} is none of the figures there are: "
                f"{', '.join(sorted(found))}."
            )
        check_figure(self._metric, found[self._metric], f"{self._examples} examples under a mask")
        return found[self._metric]

    def _reset(self) -> None:
        self._judge.reset_metrics()
        self._loss.reset_state()

    @property
    def _channels(self) -> list[int]:
        return [group.channels for group in self._groups]

    def _features(self, inputs: Any, labels: Any, weights: Any) -> list[Any]:
        """Per batch what passes from the early to the late half, the right answers, and weights."""
        flat = in_order(inputs, self._graph.trace.flat_inputs)
        size = _even(len(flat[0]))
        given = (flat, labels) if weights is None else (flat, labels, weights)
        batches = tf.data.Dataset.from_tensor_slices(keras.tree.lists_to_tuples(given)).batch(size)
        signature = [_any(batches.element_spec[0])]
        early = tf.function(self._early, input_signature=signature).get_concrete_function()
        return [(early(batch[0]), *batch[1:]) for batch in batches]

    def _early(self, inputs: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        sources = self._graph.trace.flat_inputs
        values = {
            id(source): tf.cast(value, source.dtype)
            for source, value in zip(sources, inputs, strict=True)
        }
        found = execute(self._split.early, values)
        return [found[id(tensor)] for tensor in self._split.frontier]

    def _build_metrics(self) -> None:
        """Keras makes the variables of metrics at their first use, which must not be in a graph."""
        mask = tf.ones((sum(self._channels),))
        try:
            self._update(mask, self._batches[0])
        except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
            raise ConfigError(misfit(self._graph.model, error)) from error
        self._reset()

    def _update(self, mask: tf.Tensor, batch: tuple[Any, ...]) -> None:
        features, labels, weights = (*batch, None)[:3]
        outputs = self._outputs(mask, features)
        loss = self._judge.compute_loss(None, labels, outputs, weights, training=False)
        self._loss.update_state(loss, sample_weight=tf.shape(keras.tree.flatten(labels)[0])[0])
        self._judge.compute_metrics(None, labels, outputs, weights)

    def _outputs(self, mask: tf.Tensor, features: list[tf.Tensor]) -> Any:
        known = {id(t): value for t, value in zip(self._split.frontier, features, strict=True)}
        masks = tf.split(mask, self._channels)
        with keras.StatelessScope(state_mapping=masked_weights(self._groups, masks)):
            values = execute(self._split.late, known, self._run)
        return keras.tree.map_structure(lambda x: values[id(x)], self._graph.trace.outputs)

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


def _any(batch: Any) -> Any:
    """The same structure for any number of examples."""
    return keras.tree.map_structure(
        lambda tensor: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype), batch
    )
