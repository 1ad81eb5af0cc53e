"""The cross-entropy of class numbers, for whatever the outputs of a classifier are."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_prune.errors import ConfigError
from keras_prune.training.binding import class_count
from keras_prune.training.outputs import Kind, kind_of

Loss = Callable[[Any, Any], Any]


def cross_entropy(model: keras.Model, label_smoothing: float = 0.0) -> Loss:
    """`class_loss` of a model, for what its outputs are.

    Raises:
        ConfigError: the model has one output that is no probability: it scores no classes.
    """
    if class_count(model) == 1 and kind_of(model) != "sigmoids":
        raise ConfigError(
            f"Model {model.name!r} has one output that is not of a sigmoid, so that it tells no "
            "classes apart. Give a loss, such as 'mse' or "
            "keras.losses.BinaryCrossentropy(from_logits=True)."
        )
    return class_loss(kind_of(model), label_smoothing)


def class_loss(kind: Kind, label_smoothing: float = 0.0) -> Loss:
    """Cross-entropy of labels `(batch,)` or `(batch, 1)` and outputs `(batch, classes)`.

    Of outputs that are a probability each it is that of each class against all others, averaged;
    there labels may also be 0 and 1 for each output, and are so for a single one; then outputs may
    have any shape.
    """

    def loss(labels: Any, outputs: Any) -> Any:
        outputs = ops.cast(outputs, "float32")
        labels = ops.convert_to_tensor(labels)
        if kind == "sigmoids" and tells_each(labels.shape, outputs.shape):
            targets = ops.reshape(ops.cast(labels, "float32"), ops.shape(outputs))
        else:
            numbers = ops.cast(ops.reshape(labels, (-1,)), "int32")
            targets = ops.one_hot(numbers, outputs.shape[-1])
        if kind == "sigmoids":
            values = keras.losses.binary_crossentropy(
                targets, outputs, label_smoothing=label_smoothing
            )
            return ops.mean(values, axis=tuple(range(1, len(values.shape))))
        return keras.losses.categorical_crossentropy(
            targets, outputs, from_logits=kind == "logits", label_smoothing=label_smoothing
        )

    return loss


def tells_each(labels: Any, outputs: Any) -> bool:
    """Whether labels of a shape say 0 or 1 for each output of a shape, and no class number."""
    return outputs[-1] == 1 or (len(labels) == len(outputs) and labels[-1] == outputs[-1])


def logits(model: keras.Model) -> Callable[[Any], Any]:
    """What turns the model's outputs into float32 logits, `(..., classes)`.

    Of outputs that are a probability each these are two classes each, `(batch, outputs, 2)`.
    """
    kind, smallest = kind_of(model), keras.config.epsilon()  # as in Keras' losses

    def of(outputs: Any) -> Any:
        outputs = ops.cast(outputs, "float32")
        if kind == "logits":
            return outputs
        if kind == "sigmoids":
            outputs = ops.stack([1 - outputs, outputs], axis=-1)
        return ops.log(ops.maximum(outputs, smallest))

    return of
