"""Training towards a teacher's outputs beside the labels."""

from typing import Any

import keras

from keras_prune.errors import ModelError
from keras_prune.training.class_loss import logits
from keras_prune.training.classifier import ends_of
from keras_prune.training.config import DistillationConfig


class Distilling(keras.Model):
    """The student's layers, whose loss also asks the teacher.

    Keras' own `Distiller` makes the teacher untrainable for good, takes probabilities for logits
    and reports three more losses; its `LogitsDistillation` is all that is needed.

    Args:
        student: a classifier, logits or probabilities; it shares its layers.
        teacher: a classifier of the same inputs and classes; it runs in inference mode and is
            not changed.
        config: temperature and weight.

    Raises:
        ModelError: the two take different inputs or tell different classes apart.
    """

    def __init__(
        self, student: keras.Model, teacher: keras.Model, config: DistillationConfig
    ) -> None:
        super().__init__(*ends_of(student))
        _expect_alike(student, teacher)
        # Named by a string, as by default, the divergence would be taken of the bare logits.
        divergence = keras.losses.KLDivergence()
        distance = keras.distillation.LogitsDistillation(config.temperature, divergence)
        of_teacher, of_student = logits(teacher), logits(student)
        # A function, for Keras would take a model among the attributes for a part of this one.
        self._disagreement = lambda x, outputs: distance.compute_loss(
            of_teacher(teacher(x, training=False)), of_student(outputs)
        )
        self._alpha = config.alpha

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The loss of the labels and the teacher's, weighted."""
        labels = super().compute_loss(x, y, y_pred, sample_weight, training)
        return self._alpha * self._disagreement(x, y_pred) + (1 - self._alpha) * labels


def _expect_alike(student: keras.Model, teacher: keras.Model) -> None:
    """The same inputs, and as many classes."""
    ends = zip(ends_of(student), ends_of(teacher), strict=True)
    for kind, (ours, theirs) in zip(("input", "output"), ends, strict=True):
        if ours.shape[1:] != theirs.shape[1:]:
            raise ModelError(
                f"Expected a teacher with the student's {kind} shape {tuple(ours.shape[1:])}. "
                f"Received: {tuple(theirs.shape[1:])}. Distil from the model that was pruned."
            )
