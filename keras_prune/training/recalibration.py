"""Statistics of BatchNormalization, estimated anew for a network that has lost channels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_prune.data import Splits
from keras_prune.errors import DataError, ModelError
from keras_prune.graph import Trace, trace
from keras_prune.graph.calls import sublayers
from keras_prune.training.calibration import batches as calibration_batches
from keras_prune.training.task import Task
from keras_prune.utils.arguments import expect_kind
from keras_prune.utils.backends import require_tensorflow

_EXAMPLES = 1000
_BATCH = 250


@dataclass(frozen=True)
class Recalibrated:
    """What `recalibrate` has done.

    Args:
        layers: names of the layers whose statistics are new.
        frozen: names of the layers that were left alone, for they are not trainable.
        examples: how many were seen.
    """

    layers: tuple[str, ...]
    frozen: tuple[str, ...]
    examples: int

    def __str__(self) -> str:
        """The same as a sentence."""
        left = f"; left alone, for they are frozen: {', '.join(self.frozen)}" if self.frozen else ""
        return (
            f"Statistics of {len(self.layers)} BatchNormalization layers were estimated anew on "
            f"{self.examples:,} training examples{left}."
        )


def recalibrate(
    model: keras.Model, data: Any, batches: int | None = None, *, batch_size: int = _BATCH
) -> Recalibrated:
    """Estimates the statistics of BatchNormalization anew, in place.

    Those that are stored describe the network before it lost channels; without new ones what is
    left computes something else than its weights can. Means and variances are exact averages over
    all examples, with no momentum. One pass is enough: while it measures, each norm normalises by
    its batch, so that the norms behind it see what they will see. All other layers run as in
    inference.

    Args:
        model: any Keras model; nested models are looked into. A layer that is not trainable is left
            alone.
        data: typical inputs, without augmentation: arrays, a `tf.data.Dataset` or
            `keras.utils.PyDataset` of batches, with labels or without; or a `kp.Task` or data set
            of `kp.data.load`, of which the training data are taken.
        batches: how many at most; default all, of a task as many as hold 1,000 examples.
        batch_size: examples in a batch, where the data are arrays; default 250. A layer's
            statistics depend on how the layers before it normalised their batches: let it be large.

    Returns:
        What was done.

    Raises:
        ModelError: the model has no BatchNormalization that is trainable, or Keras does not run on
            TensorFlow.
        DataError: the data are empty, do not fit the model, or a batch is a single value.

    Example:

    >>> layers = keras.layers
    >>> model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.BatchNormalization()])
    >>> recalibrate(model, np.ones((8, 4), "float32")).examples
    8

    Reference: Li et al., "EagleEye: Fast Sub-net Evaluation for Efficient Neural Network Pruning",
    ECCV 2020, section 3.3.
    """
    expect_kind(model, keras.Model, "model", "a Keras model")
    require_tensorflow("Estimating statistics anew")
    norms = [layer for layer in sublayers(model) if _is_norm(layer)]
    frozen = [layer.name for layer in norms if not layer.trainable]
    norms = [layer for layer in norms if layer.trainable]
    if not norms:
        reason = f"those it has are frozen: {', '.join(frozen)}" if frozen else "it has none"
        raise ModelError(
            f"Expected a model with BatchNormalization layers that are trainable. Received: model "
            f"{model.name!r}, {reason}. There is nothing to estimate."
        )
    examples, traced = 0, trace(model)  # which may run the model, and must not be measured
    with _measuring(norms) as measures:
        step = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)
        for inputs in islice(_inputs(traced, data, batch_size), batches):
            step(inputs)
            examples += len(keras.tree.flatten(inputs)[0])
    reached = [measure for measure in measures if measure.settle()]
    return Recalibrated(tuple(m.layer.name for m in reached), tuple(frozen), examples)


def has_norms(model: keras.Model) -> bool:
    """Whether there is anything in a model that `recalibrate` can estimate."""
    return any(_is_norm(layer) and layer.trainable for layer in sublayers(model))


def _is_norm(layer: Any) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization)


class _Measure:
    """Sums over all that a norm gets, wherever and however often it is called.

    Args:
        layer: the norm; while measured it normalises by its batch.
    """

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        channels = int(layer.moving_mean.shape[0])
        self._count = tf.Variable(0.0, dtype=tf.float64)
        self._sum, self._squares = (
            tf.Variable(tf.zeros(channels, tf.float64), dtype=tf.float64) for _ in range(2)
        )
        self._stored = [ops.copy(v.value) for v in (layer.moving_mean, layer.moving_variance)]

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """In place of the layer's own call."""
        axis = self.layer.axis % len(inputs.shape)
        others = [number for number in range(len(inputs.shape)) if number != axis]
        values = tf.cast(inputs, tf.float64)
        count = tf.cast(tf.size(values), tf.float64) / float(values.shape[axis])
        if mask is not None:  # of the examples and what of their axes it covers
            weights = tf.cast(mask, tf.float64)
            weights = tf.reshape(
                weights, (*tf.unstack(tf.shape(mask)), *[1] * (len(inputs.shape) - len(mask.shape)))
            )
            count *= tf.reduce_mean(weights)
            values *= weights
        self._count.assign_add(count)
        self._sum.assign_add(tf.reduce_sum(values, others))
        self._squares.assign_add(tf.reduce_sum(tf.cast(inputs, tf.float64) * values, others))
        return type(self.layer).call(self.layer, inputs, training=True, mask=mask)

    def restore(self) -> None:
        """Gives the layer back what it had."""
        self.layer.moving_mean.assign(self._stored[0])
        self.layer.moving_variance.assign(self._stored[1])

    def settle(self) -> bool:
        """Gives the layer its new statistics; False if it was never called."""
        count = self._count.numpy()
        if not count:
            return False
        mean = self._sum.numpy() / count
        variance = np.maximum(self._squares.numpy() / count - mean**2, 0)
        if count < 2:
            raise DataError(
                f"Layer {self.layer.name!r} got a single value of each channel, which has no "
                "variance. Give more examples in a batch."
            )
        self.layer.moving_mean.assign(mean)
        self.layer.moving_variance.assign(variance)
        return True


@contextmanager
def _measuring(norms: Sequence[Any]) -> Iterator[list[_Measure]]:
    """Lets norms normalise by their batch and be measured; they are as they were afterwards."""
    measures = [_Measure(layer) for layer in norms]
    try:
        for measure in measures:
            vars(measure.layer)["call"] = measure.call  # setting the attribute would track it
        yield measures
    finally:
        for measure in measures:
            vars(measure.layer).pop("call", None)
            measure.restore()


def _inputs(traced: Trace, data: Any, batch_size: int) -> Iterator[Any]:
    """The inputs of batch after batch, in the model's structure."""
    if isinstance(data, Task | Splits):
        task = data if isinstance(data, Task) else Task(data)
        data = task.examples("train", _EXAMPLES)[0]
    if isinstance(data, tuple) and len(data) == 3:
        data = data[:2]
    if isinstance(data, tuple | np.ndarray):  # in batches of one size, none of a single example
        count = len(keras.tree.flatten(data)[0])
        batch_size = math.ceil(count / math.ceil(count / batch_size)) if count else batch_size
    found: Iterable[Any] = calibration_batches(data, traced.flat_inputs, batch_size)
    for flat, _ in found:
        if len(flat[0]) < 2:
            raise DataError(
                "Expected batches of at least two examples to estimate statistics on. Received one "
                "of a single example. Leave it out, or give larger batches."
            )
        tensors = [
            ops.convert_to_tensor(x, dtype=tensor.dtype)
            for x, tensor in zip(flat, traced.flat_inputs, strict=True)
        ]
        yield keras.tree.pack_sequence_as(traced.inputs, tensors)
