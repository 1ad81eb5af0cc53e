"""Accuracy that guessing reaches, too: a network or its data are not what they are taken for."""

from __future__ import annotations

import keras

from keras_prune.graph import trace
from keras_prune.training.objective import Objective
from keras_prune.utils.labels import told_apart


def classes_of(model: keras.Model, objective: Objective) -> int | None:
    """How many classes an accuracy is about; None where it is no accuracy of one class each.

    Args:
        model: the classifier; one output score is a choice between two classes.
        objective: what it is judged by.
    """
    outputs = keras.tree.flatten(getattr(model, "outputs", None) or trace(model).outputs)
    if not objective.unit or len(outputs) != 1 or len(outputs[0].shape) != 2:
        return None
    classes = outputs[0].shape[-1]
    return None if classes > 1 and "binary" in objective.metric else told_apart(classes)


def is_chance(accuracy: float, classes: int) -> bool:
    """Whether an accuracy in percent is about what guessing gives.

    That is up to half more than one in so many classes, and up to a twentieth of the way from there
    to all.

    Example:

    >>> is_chance(10.8, 10), is_chance(20, 10), is_chance(51, 2), is_chance(60, 2)
    (True, False, True, False)
    """
    guessed = 100 / classes
    return accuracy <= min(1.5 * guessed, guessed + 0.05 * (100 - guessed))


def doubts(accuracy: float, classes: int) -> str | None:
    """What is to be said of a network that does no better than guessing before it is pruned."""
    if not is_chance(accuracy, classes):
        return None
    return (
        f"The accuracy of the given network is {accuracy:.2f} %, and guessing one of {classes} "
        f"classes gives {100 / classes:.3g} %. Its inputs may be scaled otherwise than in its "
        "training (for pixel values from 0 to 1: --rescale 1/255, or rescale=1 / 255 of "
        "kp.data.load), or its classes be numbered otherwise."
    )
