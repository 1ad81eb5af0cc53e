"""Batches that are looked through: numbers that are none, and classes that there are not."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def looked_through(
    batches: tf.data.Dataset, split: str, classes: int, *, first: int = 0, steps: int = 0
) -> tf.data.Dataset:
    """The same batches; on wrong data they end with the sentence of a `DataError`.

    `by_pipeline` finds the sentence again.

    Args:
        batches: `(inputs, labels)` or `(inputs, labels, weights)`.
        split: what the sentence calls the data.
        classes: how many there are, if labels are class numbers; else 0.
        first: number of the first batch.
        steps: batches in a pass, where there are several passes; else 0.
    """

    def check(number: tf.Tensor, batch: Any) -> Any:
        place = tf.strings.as_string(number % steps if steps else number)
        values = [x for x in keras.tree.flatten(batch) if x.dtype.is_floating]
        tests = [_all_finite(x, split, place) for x in values]
        if classes:
            tests.append(_in_range(batch[1], split, classes))
        with tf.control_dependencies(tests):
            return keras.tree.map_structure(tf.identity, batch)

    return batches.enumerate(first).map(check)


def _all_finite(values: tf.Tensor, split: str, place: tf.Tensor) -> tf.Operation:
    finite = tf.math.is_finite(values)
    wrong = tf.reduce_any(~finite, axis=tf.range(1, tf.rank(values)))
    number = tf.argmax(tf.cast(tf.reshape(wrong, (-1,)), "int32"))
    counts = [tf.math.count_nonzero(wrong), tf.size(wrong), number]
    found, size, example = map(tf.strings.as_string, counts)
    words = [
        f"DataError: The {split} data hold values that are NaN or infinite, in an array of shape "
        f"{tuple(values.shape)}: in ",
        found,
        " of the ",
        size,
        " examples of batch ",
        place,
        ", the first of them at place ",
        example,
        " (both from 0). Remove these examples, or mend them.",
    ]
    return tf.debugging.Assert(tf.reduce_all(finite), [tf.strings.join(words)])


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
