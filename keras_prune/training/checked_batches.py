"""Batches that are looked through: numbers that are none, and classes that there are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


def checking(split: str, classes: int) -> Callable[..., Any]:
    """A function of a batch for `Dataset.map`, which returns the batch as it is.

    On wrong data the pipeline ends with the sentence of a `DataError`, which `by_pipeline` finds.

    Args:
        split: what the sentence calls the data.
        classes: how many there are, if labels are class numbers; else 0.
    """

    def check(*batch: Any) -> Any:
        values = [x for x in keras.tree.flatten(batch[:2]) if x.dtype.is_floating]
        tests = [_all_finite(x, split) for x in values]
        if classes:
            tests.append(_in_range(batch[1], split, classes))
        with tf.control_dependencies(tests):
            return keras.tree.map_structure(tf.identity, batch)

    return check


def _all_finite(values: tf.Tensor, split: str) -> tf.Operation:
    finite = tf.math.is_finite(values)
    wrong = tf.reduce_any(~finite, axis=tf.range(1, tf.rank(values)))
    counts = [tf.strings.as_string(n) for n in (tf.math.count_nonzero(wrong), tf.size(wrong))]
    return tf.debugging.Assert(
        tf.reduce_all(finite),
        [
            tf.strings.join(
                [
                    f"DataError: The {split} data hold values that are NaN or infinite, in an "
                    f"array of shape {tuple(values.shape)}: in ",
                    counts[0],
                    " of ",
                    counts[1],
                    " examples of a batch. Remove these examples, or mend them.",
                ]
            )
        ],
    )


def _in_range(labels: tf.Tensor, split: str, classes: int) -> tf.Operation:
    numbers = tf.cast(labels, "int64")  # which a number of classes fits whatever theirs is
    whole = tf.cast(numbers, labels.dtype) == labels
    return tf.debugging.Assert(
        tf.reduce_all(whole & (numbers >= 0) & (numbers < classes)),
        [
            f"DataError: Expected labels from 0 to {classes - 1} in the {split} data, for the "
            f"model has {classes} outputs. Received others: count classes from 0, or give the "
            "model an output for each."
        ],
    )
