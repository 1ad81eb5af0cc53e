"""The cross-entropy of class numbers, for whatever the outputs of a classifier are."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_prune.training.outputs import Kind, kind_of

Loss = Callable[[Any, Any], Any]


def cross_entropy(model: keras.Model, label_smoothing: float = 0.0) -> Loss:
    """`class_loss` of a model, for what its outputs are."""
    return class_loss(kind_of(model), label_smoothing)


def class_loss(kind: Kind, label_smoothing: float = 0.0) -> Loss:
    """Cross-entropy of labels `(batch,)` or `(batch, 1)` and outputs `(batch, classes)`.

    Of outputs that are a probability each it is that of each class against all others, averaged.
    """

    def loss(labels: Any, outputs: Any) -> Any:
        outputs = ops.cast(outputs, "float32")
        numbers = ops.cast(ops.reshape(labels, (-1,)), "int32")
        targets = ops.one_hot(numbers, outputs.shape[-1])
        if kind == "sigmoids":
            return keras.losses.binary_crossentropy(
                targets, outputs, label_smoothing=label_smoothing
            )
        return keras.losses.categorical_crossentropy(
            targets, outputs, from_logits=kind == "logits", label_smoothing=label_smoothing
        )

    return loss


def logits(model: keras.Model) -> Callable[[Any], Any]:
    """What turns the model's outputs into float32 logits: nothing, or the logarithm."""
    if kind_of(model) == "logits":
        return lambda outputs: ops.cast(outputs, "float32")
    smallest = keras.config.epsilon()  # as in Keras' losses
    return lambda outputs: ops.log(ops.maximum(ops.cast(outputs, "float32"), smallest))
