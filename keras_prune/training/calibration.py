"""Calibration data of any kind as batches that fit a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_prune.errors import DataError

Batch = tuple[list[Any], Any]
"""The inputs, flat, and the labels; None where there are none."""


def batches(data: Any, inputs: Sequence[keras.KerasTensor], batch_size: int) -> Iterator[Batch]:
    """Reads calibration data once, as it comes.

    Args:
        data: a `tf.data.Dataset`, a `keras.utils.PyDataset` or another iterable of batches
            `(inputs, labels)`; or two arrays `(inputs, labels)`. The labels may be left out.
        inputs: the model's symbolic inputs, flat.
        batch_size: examples in a batch, where arrays are given.

    Raises:
        DataError: there is no data, or no end to it, or a batch does not fit the model.
    """
    number = 0
    for number, batch in enumerate(_raw(data, batch_size), 1):
        images, labels = _pair(batch)
        flat = in_order(images, inputs)
        _check(flat, labels, inputs, number)
        yield flat, labels
    if not number:
        raise DataError("The calibration data is empty. Give at least one batch of examples.")


def in_order(given: Any, inputs: Sequence[keras.KerasTensor]) -> list[Any]:
    """Examples as one array for each of a model's inputs, whatever structure they came in.

    Args:
        given: arrays in any structure; a dict names the inputs they are for. A last axis of one may
            be missing.
        inputs: the model's symbolic inputs, flat.
    """
    names = [tensor.name for tensor in inputs]
    named = isinstance(given, Mapping) and set(names) <= set(given)
    arrays = [given[name] for name in names] if named else keras.tree.flatten(given)
    if len(arrays) != len(inputs):
        return arrays
    return [
        x[..., None] if np.ndim(x) == len(tensor.shape) - 1 and tensor.shape[-1] == 1 else x
        for x, tensor in zip(arrays, inputs, strict=True)
    ]


def _raw(data: Any, batch_size: int) -> Iterable[Any]:
    if isinstance(data, keras.utils.PyDataset):
        return (data[number] for number in range(len(data)))
    if isinstance(data, tuple | dict | np.ndarray):
        return _cut(_pair(data), batch_size)
    if hasattr(data, "cardinality") and int(data.cardinality()) == -1:
        raise DataError("The calibration data has no end. Take some of it: data.take(batches).")
    if data is None or not isinstance(data, Iterable):
        raise DataError(
            "Expected calibration data: a tf.data.Dataset or keras.utils.PyDataset of batches "
            f"(inputs, labels), or arrays (inputs, labels). Received: {type(data).__name__}."
        )
    return data


def _pair(batch: Any) -> tuple[Any, Any]:
    if not isinstance(batch, tuple):
        return batch, None
    if len(batch) != 2:
        raise DataError(
            f"Expected calibration data (inputs, labels). Received: a tuple of {len(batch)}."
        )
    return batch


def _cut(arrays: Any, batch_size: int) -> Iterator[Any]:
    """Arrays in batches, the last one with what is left."""
    lengths = {len(array) for array in keras.tree.flatten(arrays) if array is not None}
    if len(lengths) != 1:
        raise DataError(
            "Expected as many labels as examples in the calibration data. "
            f"Received: arrays of lengths {', '.join(map(str, sorted(lengths)))}."
        )
    for start in range(0, lengths.pop(), batch_size):
        part = slice(start, start + batch_size)
        yield keras.tree.map_structure(lambda x, part=part: None if x is None else x[part], arrays)


def _check(flat: list[Any], labels: Any, inputs: Sequence[keras.KerasTensor], number: int) -> None:
    expected, received = [tuple(x.shape) for x in inputs], [tuple(np.shape(x)) for x in flat]
    if len(expected) != len(received) or not all(map(_fits, received, expected)):
        raise DataError(
            f"Expected calibration inputs of shape {_text(expected)}. "
            f"Received: {_text(received)} in batch {number}."
        )
    if not received[0][0]:
        raise DataError(f"Batch {number} of the calibration data is empty. Leave it out.")
    if not all(map(_are_finite, flat)):
        raise DataError(
            f"Batch {number} of the calibration data holds values that are NaN or infinite. Remove "
            "these examples, or mend them."
        )
    answers = [] if labels is None else keras.tree.flatten(labels)
    sizes = {shape[0] for shape in received} | {np.shape(x)[0] for x in answers if np.ndim(x)}
    if len(sizes) != 1:
        raise DataError(
            "Expected as many labels as examples in the calibration data. "
            f"Received: {', '.join(map(str, sorted(sizes)))} in batch {number}."
        )


def _are_finite(values: Any) -> bool:
    numbers = keras.ops.convert_to_numpy(values) if hasattr(values, "dtype") else np.asarray(values)
    return numbers.dtype.kind != "f" or bool(np.isfinite(numbers).all())


def _fits(received: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    same = (a == b or b is None for a, b in zip(received, expected, strict=False))
    return len(received) == len(expected) and all(same)


def _text(shapes: list[Any]) -> str:
    return " and ".join(map(str, shapes))
