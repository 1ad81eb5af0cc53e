"""Statistics of BatchNormalization, estimated anew for a network that has lost channels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_prune.data import Splits
from keras_prune.errors import ConfigError, DataError, ModelError
from keras_prune.graph import Trace, trace
from keras_prune.graph.calls import sublayers
from keras_prune.training.calibration import batches as calibration_batches
from keras_prune.training.task import Task
from keras_prune.utils.arguments import expect_kind
from keras_prune.utils.backends import require_tensorflow

_EXAMPLES = 1000
_BATCH = 250
_VALUES = 2**21  # in a batch: 250 images of 52 pixels a side
_LEAST = 32  # however large they are


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
            f"{self.examples:,} examples{left}."
        )


def recalibrate(
    model: keras.Model, data: Any, batches: int | None = None, *, batch_size: int | None = None
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
        data: typical inputs, without augmentation: arrays (`x`, `(x, labels)`, or a dict with one
            for each input), a `tf.data.Dataset`, `keras.utils.PyDataset` or generator of batches,
            with labels or without; or a `kp.Task` or data set of `kp.data.load`, of which the
            training data are taken.
        batches: how many at most; default as many as hold 1,000 examples.
        batch_size: examples in a batch, where the data are arrays or a task; default 250, fewer
            where examples are large. A layer's statistics depend on how the layers before it
            normalised their batches: let it be large.

    Returns:
        What was done.

    Raises:
        ConfigError: `batches` is not at least 1, or `batch_size` not at least 2.
        ModelError: the model has no BatchNormalization that is trainable, or Keras does not run on
            TensorFlow.
        DataError: the data are empty, do not fit the model or are not finite, or a batch is a
            single example.

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
    _check_counts(batches, batch_size)
    trainable, frozen = norms(model)
    if not trainable:
        reason = f"those it has are frozen: {', '.join(frozen)}" if frozen else "it has none"
        raise ModelError(
            f"Expected a model with BatchNormalization layers that are trainable. Received: model "
            f"{model.name!r}, {reason}. There is nothing to estimate."
        )
    examples, traced = 0, trace(model)  # which may run the model, and must not be measured
    with _measuring(trainable) as measures:
        step = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)
        for inputs in islice(_inputs(traced, data, batch_size), batches):
            step(inputs)
            examples += len(keras.tree.flatten(inputs)[0])
            if batches is None and examples >= _EXAMPLES:
                break
        found = [measure.statistics() for measure in measures]
    for measure, statistics in zip(measures, found, strict=True):
        measure.settle(*statistics)
    return Recalibrated(tuple(layer.name for layer in trainable), tuple(frozen), examples)


def norms(model: keras.Model) -> tuple[list[Any], list[str]]:
    """The layers that `recalibrate` estimates, and the names of those that are frozen."""
    found = [
        layer for layer in sublayers(model) if isinstance(layer, keras.layers.BatchNormalization)
    ]
    trainable = [layer for layer in found if layer.trainable]
    return trainable, [layer.name for layer in found if not layer.trainable]


def _check_counts(batches: int | None, batch_size: int | None) -> None:
    for name, value, least in (("batches", batches, 1), ("batch_size", batch_size, 2)):
        if value is not None and value < least:
            raise ConfigError(f"{name} must be at least {least}. Received: {value}.")


class _Measure:
    """The moments of all that a norm gets, wherever and however often it is called.

    Each batch's are those that the norm itself finds: with no momentum they are what it stores.

    Args:
        layer: the norm; while measured it normalises by its batch.
    """

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        channels = int(layer.moving_mean.shape[0])
        self._count = tf.Variable(0.0, dtype=tf.float64)
        self._mean, self._squares = (
            tf.Variable(tf.zeros(channels, tf.float64), dtype=tf.float64) for _ in range(2)
        )
        self._stored = [ops.copy(v.value) for v in layer.non_trainable_variables]
        self._call, self._attributes = layer.call, dict(vars(layer))

    def begin(self) -> None:
        """Puts `call` in place of the layer's own."""
        # Setting the attributes would track them. Renorm would mix in what is stored.
        vars(self.layer).update(call=self.call, momentum=0.0, renorm=False)

    def end(self) -> None:
        """Gives the layer back what it had."""
        for name in ("call", "momentum", "renorm"):
            vars(self.layer).pop(name, None)
            if name in self._attributes:
                vars(self.layer)[name] = self._attributes[name]
        for variable, value in zip(self.layer.non_trainable_variables, self._stored, strict=True):
            variable.assign(value)

    def call(self, inputs: Any, training: bool | None = None, **others: Any) -> Any:
        """In place of the layer's own call."""
        outputs = self._call(inputs, training=True, **others)
        axis = self.layer.axis % len(inputs.shape)
        count = tf.cast(tf.size(inputs), tf.float64) / float(inputs.shape[axis])
        mask = others.get("mask")
        if mask is not None:
            count *= tf.reduce_mean(tf.cast(mask, tf.float64))
        self._add(count, self.layer.moving_mean, self.layer.moving_variance)
        return outputs

    def _add(self, count: Any, mean: Any, variance: Any) -> None:
        """Pools the moments of one batch with those so far (Chan et al., 1979)."""
        before, total = self._count.read_value(), self._count + count
        part = tf.math.divide_no_nan(count, total)
        shift = tf.cast(mean.value, tf.float64) - self._mean
        self._squares.assign_add(
            tf.cast(variance.value, tf.float64) * count + shift**2 * before * part
        )
        self._mean.assign_add(shift * part)
        self._count.assign(total)

    def statistics(self) -> tuple[Any, Any]:
        """Mean and variance of all that the layer got."""
        count = self._count.numpy()
        if count < 2:
            raise DataError(
                f"Layer {self.layer.name!r} got fewer than two values of each channel, which have "
                "no variance. Give more examples, and such as are not masked."
            )
        mean, variance = self._mean.numpy(), self._squares.numpy() / count
        if not (np.isfinite(mean).all() and np.isfinite(variance).all()):
            raise DataError(
                f"Layer {self.layer.name!r} got values that are not finite. The model stays as it "
                "was. Look for NaN and infinity in the data and in the weights before the layer."
            )
        return mean, variance

    def settle(self, mean: Any, variance: Any) -> None:
        """Gives the layer its new statistics."""
        layer, deviation = self.layer, np.sqrt(variance + self.layer.epsilon)
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)
        if getattr(layer, "renorm", False):
            layer.renorm_mean.assign(mean)
            layer.renorm_stddev.assign(deviation)
            layer.moving_stddev.assign(deviation)


@contextmanager
def _measuring(norms: Sequence[Any]) -> Iterator[list[_Measure]]:
    """Lets norms normalise by their batch and be measured; they are as they were afterwards."""
    measures = [_Measure(layer) for layer in norms]
    try:
        for measure in measures:
            measure.begin()
        yield measures
    finally:
        for measure in measures:
            measure.end()


def _inputs(traced: Trace, data: Any, batch_size: int | None) -> Iterator[Any]:
    """The inputs of batch after batch, in the model's structure."""
    if isinstance(data, Task | Splits):
        task = data if isinstance(data, Task) else Task(data)
        data = (task.examples("train", _EXAMPLES)[0], None)
    elif isinstance(data, tf.data.Dataset):
        data = iter(data)  # it may have no end, and is not read to it
    if isinstance(data, tuple) and len(data) == 3:
        data = data[:2]
    for flat, _ in calibration_batches(data, traced.flat_inputs, _size(data, batch_size)):
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


def _size(data: Any, batch_size: int | None) -> int:
    """The size of a batch that leaves no single example to the last one."""
    parts = keras.tree.flatten(data) if isinstance(data, tuple | dict | np.ndarray) else []
    if not parts or not len(parts[0]):
        return batch_size or _BATCH
    count = len(parts[0])
    if batch_size is None:
        batch_size = min(_BATCH, max(_LEAST, _VALUES * count // max(np.size(parts[0]), 1)))
    return math.ceil(count / math.ceil(count / batch_size))
