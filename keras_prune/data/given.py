"""One split that a user's function returns: arrays, or a tf.data pipeline."""

from functools import cached_property
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from keras_prune.data.finite import check_finite
from keras_prune.data.sources import Arrays
from keras_prune.errors import DataError
from keras_prune.utils.reasons import reason

_BATCH = 1024


class Given(Protocol):
    """A split whose labels can be had without keeping its images."""

    @property
    def labels(self) -> np.ndarray:
        """Labels `(examples,)`."""

    def read(self) -> Arrays:
        """Images `(examples, height, width, channels)` and labels `(examples,)`."""


def given(value: Any, where: str) -> Given:
    """What a user gave for a split.

    Args:
        value: two arrays `(images, labels)`, or a `tf.data.Dataset` of examples or batches.
        where: what messages call it.

    Raises:
        DataError: it is something else, or its images and labels do not fit.
    """
    if isinstance(value, tf.data.Dataset):
        return _Pipeline(value, where)
    if isinstance(value, tuple | list) and len(value) == 2:
        return _Pair(_numbers(value[0], where), _numbers(value[1], where), where)
    raise DataError(
        f"{where}: expected (images, labels) arrays or a tf.data.Dataset. "
        f"Received: {type(value).__name__}."
    )


class _Pair:
    """Two arrays."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, where: str) -> None:
        _check_images(images.shape, where)
        self.labels = _checked_labels(labels, where)
        if len(images) != len(labels):
            raise DataError(
                f"{where}: expected as many labels as images. "
                f"Received: {len(images)} images, {len(labels)} labels."
            )
        self._images, self._where = images, where

    def read(self) -> Arrays:
        check_finite(self._images, f"{self._where}: the images")
        return self._images, self.labels


class _Pipeline:
    """A dataset of `(image, label)` examples or of batches of them."""

    def __init__(self, dataset: tf.data.Dataset, where: str) -> None:
        self._where = where
        spec = dataset.element_spec
        if not (isinstance(spec, tuple) and len(spec) == 2):
            raise DataError(f"{where}: expected pairs (image, label). Received: {spec}.")
        if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise DataError(f"{where}: expected a dataset that ends. Leave out its repeat().")
        # A single example becomes a batch like any other.
        rank = spec[0].shape.rank
        self._batches = dataset.batch(_BATCH) if rank == 3 else dataset
        _check_images(self._batches.element_spec[0].shape, where)

    @cached_property
    def labels(self) -> np.ndarray:
        return self._joined(self._batches.map(lambda images, labels: (labels,)))[0]

    def read(self) -> Arrays:
        images, labels = self._joined(self._batches)
        check_finite(images, f"{self._where}: the images")
        return images, labels

    def _joined(self, batches: tf.data.Dataset) -> list[np.ndarray]:
        try:
            columns = [
                np.concatenate(column) for column in zip(*batches.as_numpy_iterator(), strict=True)
            ]
        except Exception as error:  # a pipeline raises what its functions raise
            why = reason(error, first_line=True)
            raise DataError(f"{self._where}: cannot be read: {why}") from error
        labels = columns[-1] if columns else np.array([])
        return [*columns[:-1], _checked_labels(labels, self._where)]


def _numbers(value: Any, where: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:  # lists of unlike lengths
        array = np.array(None)
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{where}: expected arrays of numbers. Received: {type(value).__name__} of another "
            "kind, or of unlike lengths."
        )
    return array


def _check_images(shape: Any, where: str) -> None:
    shape = tuple(shape)
    if len(shape) != 4 or shape[-1] not in (1, 3):
        raise DataError(
            f"{where}: expected images (examples, height, width, channels) with 1 or 3 channels. "
            f"Received: shape {shape}."
        )


def _checked_labels(labels: np.ndarray, where: str) -> np.ndarray:
    """Labels `(examples,)`, also from `(examples, 1)`."""
    flat = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if not flat.size:
        raise DataError(f"{where}: expected at least one example. Received: none.")
    if flat.ndim != 1 or not np.issubdtype(flat.dtype, np.integer) or flat.min() < 0:
        raise DataError(
            f"{where}: expected one whole number from 0 for each label. "
            f"Received: labels of shape {labels.shape} and type {labels.dtype}, "
            f"the first {labels.flat[0]}."
        )
    return flat
