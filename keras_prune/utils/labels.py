"""Labels as they are compared with a classifier's outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_prune.errors import DataError


def class_numbers(labels: Any, classes: int) -> np.ndarray:
    """The number of the true class of each example, int64 `(n,)`.

    Args:
        labels: class numbers `(n,)` or `(n, 1)` of any dtype, or one row of zeros and a one for
            each example, `(n, classes)`.
        classes: how many the outputs tell apart; with 1 the labels are 0 and 1.

    Raises:
        DataError: they are none of these, or a number is out of range.
    """
    found = np.asarray(labels)
    if found.ndim == 2 and found.shape[1] == classes > 1 and _is_one_hot(found):
        return found.argmax(axis=1)
    if found.ndim != 1 and found.shape != (len(found), 1):
        raise DataError(
            f"Expected class numbers of shape (n,) or (n, 1), or rows of one 1 in {classes} zeros. "
            f"Received: labels of shape {found.shape}."
        )
    numbers = found.reshape(-1).astype("int64")
    expect_in_range(found, classes, whole=np.array_equal(numbers, found.reshape(-1)))
    return numbers


def expect_in_range(labels: np.ndarray, classes: int, whole: bool = True) -> None:
    """Refuses class numbers that there are not.

    Args:
        labels: the numbers, in any shape.
        classes: how many the outputs tell apart; with 1 the labels are 0 and 1.
        whole: whether they are whole numbers.

    Raises:
        DataError: they are not, or one is out of range.
    """
    top = told_apart(classes) - 1
    if not whole or labels.min() < 0 or labels.max() > top:
        raise DataError(
            f"Expected labels from 0 to {top}, for the model has {classes} output"
            f"{'s' if classes > 1 else ''}. Received: labels from {labels.min()} to {labels.max()}."
        )


def told_apart(outputs: int) -> int:
    """How many classes so many scores tell apart: a single one is that of the second of two."""
    return max(outputs, 2)


def say_each(labels: np.ndarray, outputs: int) -> bool:
    """Whether labels are 0 or 1 for each of several outputs, `(n, outputs)`."""
    return outputs > 1 and labels.shape == (len(labels), outputs) and _are_flags(labels)


def sum_to_one(outputs: np.ndarray) -> bool:
    """Whether outputs `(n, classes)` are probabilities; half precision is near enough."""
    return bool((outputs >= 0).all() and np.allclose(outputs.sum(axis=-1), 1, atol=1e-2))


def chosen(outputs: np.ndarray) -> np.ndarray:
    """The class that outputs `(n, classes)` stand for, int64 `(n,)`; of a single one 0 or 1."""
    if outputs.shape[1] > 1:
        return outputs.argmax(axis=1)
    return _above(outputs)[:, 0]


def right_answers(outputs: np.ndarray, labels: Any) -> np.ndarray:
    """Which answers are right, bool: `(n,)` of classes, `(n, outputs)` of 0 and 1 for each output.

    Args:
        outputs: `(n, outputs)`.
        labels: as `class_numbers` takes them, or 0 and 1 for each output.

    Raises:
        DataError: they are none of these, or a number is out of range.
    """
    found = np.asarray(labels)
    if len(found) == len(outputs) and say_each(found, outputs.shape[1]) and not _is_one_hot(found):
        return _above(outputs) == found
    return chosen(outputs) == class_numbers(found, outputs.shape[1])


def _above(outputs: np.ndarray) -> np.ndarray:
    """Each output as 0 or 1: by .5 where they may be probabilities, else by 0."""
    probable = outputs.min() >= 0 and outputs.max() <= 1
    return (outputs > (0.5 if probable else 0)).astype("int64")


def _is_one_hot(rows: np.ndarray) -> bool:
    return _are_flags(rows) and bool((rows.sum(axis=1) == 1).all())


def _are_flags(values: np.ndarray) -> bool:
    return bool(np.isin(values, (0, 1)).all())
