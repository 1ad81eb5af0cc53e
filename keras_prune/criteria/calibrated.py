"""Criteria that look at data: one compiled step, carried out on every batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from keras_prune.criteria.base import Criterion, Scores
from keras_prune.criteria.losses import check_classes, check_range
from keras_prune.criteria.reader import Reader
from keras_prune.errors import ConfigError, DataError, ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.training.calibration import batches
from keras_prune.training.losses import per_example
from keras_prune.utils.reasons import reason

Step = Callable[[list[Any], Any], dict[str, Any]]
"""`(inputs, labels) -> {group: mean over the batch}`."""


@dataclass(frozen=True)
class DataCriterion(Criterion):
    """Averages what a step finds in each batch over all examples.

    The step is compiled for batches of any size, so that a smaller last batch counts as well and
    the whole calibration set takes one trace. A subclass makes the `step`.
    """

    batch_size: int = 64

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ConfigError(
                f"Expected a positive batch size. Received: batch_size={self.batch_size}."
            )

    def scores(self, graph: ChannelGraph, data: Any) -> Scores:
        self._check_backend()
        run, totals, examples = None, dict[str, Any](), 0
        for inputs, labels in batches(data, graph.trace.flat_inputs, self.batch_size):
            size = np.shape(inputs[0])[0]
            labels = self.checked(graph, labels)
            run = run or _compiled(self.step(graph), graph, labels)
            tensors = map(_as, inputs, graph.trace.flat_inputs)
            for name, found in run(list(tensors), labels).items():
                totals[name] = totals.get(name, 0) + size * keras.ops.convert_to_numpy(
                    found
                ).astype("float64")
            examples += size
        return self.joined(graph, {name: total / examples for name, total in totals.items()})

    def unscored(self, graph: ChannelGraph) -> dict[str, str]:
        return dict.fromkeys(Reader(graph).unread(), "what is read of it lies inside a layer")

    def step(self, graph: ChannelGraph) -> Step:
        """What is done with each batch."""
        raise NotImplementedError

    def checked(self, graph: ChannelGraph, labels: Any) -> Any:
        """Labels as the step takes them; they do not matter here, so that zeros will do."""
        return np.zeros((1,), "int32")

    def joined(self, graph: ChannelGraph, means: dict[str, Any]) -> Scores:
        """The scores, from the means over all examples."""
        return means

    def _check_backend(self) -> None:
        if keras.backend.backend() != "tensorflow":
            raise ConfigError(
                f"Criterion {self.name!r} needs Keras on TensorFlow. Received: Keras on "
                f"{keras.backend.backend()}. Set KERAS_BACKEND=tensorflow, or use one that reads "
                "weights only, such as 'l1'."
            )


@dataclass(frozen=True)
class GradientCriterion(DataCriterion):
    """A data criterion that looks at gradients of a loss."""

    loss: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss is not None:
            per_example(self.loss)  # which refuses what is no loss

    @property
    def wants_loss(self) -> bool:
        return self.loss is None

    def with_loss(self, loss: Any) -> GradientCriterion:
        return replace(self, loss=loss) if self.wants_loss else self

    def checked(self, graph: ChannelGraph, labels: Any) -> Any:
        if labels is None:
            raise DataError(
                f"Criterion {self.name!r} expects calibration data with labels: "
                "(inputs, labels). Received: inputs only."
            )
        if self.loss is None:
            labels = check_classes(graph, labels)
        else:
            check_range(graph, labels, self.loss)
        return keras.tree.map_structure(keras.ops.convert_to_tensor, labels)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if not isinstance(self.loss, str | dict | None):
            config["loss"] = keras.losses.serialize(self.loss)
        return config


def _compiled(step: Step, graph: ChannelGraph, labels: Any) -> Step:
    import tensorflow as tf

    inputs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in graph.trace.flat_inputs]
    answers = keras.tree.map_structure(
        lambda x: tf.TensorSpec((None, *x.shape[1:]), x.dtype), labels
    )
    function = tf.function(step, input_signature=[inputs, answers], autograph=False)
    try:
        function.get_concrete_function()  # traced by a call, TensorFlow warns of it the fifth time
    except (ValueError, TypeError, LookupError, tf.errors.OpError) as error:
        raise ModelError(
            f"Model {graph.model.name!r} cannot be compiled for batches of any size, or the loss "
            f"does not fit labels of shape {tuple(np.shape(labels))} and its outputs: "
            f"{reason(error).rstrip('.')}. Criteria that read weights only, such as 'lamp', do "
            "without."
        ) from error
    return function


def _as(value: Any, tensor: keras.KerasTensor) -> Any:
    return keras.ops.convert_to_tensor(value, dtype=tensor.dtype)
