"""The data of one split, whatever `model.fit` takes, as batches that can be read from any place."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import keras
import numpy as np
import tensorflow as tf

from keras_prune.data.finite import check_finite
from keras_prune.errors import DataError


class Feed(Protocol):
    """Batches `(x, y)` or `(x, y, sample_weight)`, each of any structure."""

    @property
    def steps(self) -> int:
        """Batches in one pass."""

    def once(self) -> tf.data.Dataset:
        """One pass in a fixed order."""

    def endless(self, seed: int, start: int) -> tf.data.Dataset:
        """Pass after pass, from batch number `start` on; the same seed gives the same batches."""

    def identity(self) -> str:
        """A text that differs between data sets that can be told apart without reading all."""

    def halved(self) -> Feed | None:
        """The same in batches of half the size; None where that cannot be had."""


@runtime_checkable
class Sampled(Protocol):
    """A split whose examples can be read at any place."""

    def sample(self, limit: int) -> tuple[Any, Any]:
        """At most so many examples, spread evenly over the split."""


def feed(
    data: Any,
    split: str,
    *,
    batch_size: int,
    steps: int | None = None,
    sample_weight: Any = None,
) -> Feed:
    """What a user gave for a split.

    Args:
        data: a `tf.data.Dataset` of batches, a tuple of arrays `(x, y)` or `(x, y, weights)`, a
            `keras.utils.PyDataset`, or a function that returns a generator of batches, or such a
            generator itself; these two need `steps` where they do not end.
        split: what messages call it.
        batch_size: examples in a batch, for arrays.
        steps: batches in a pass; default: all there are.
        sample_weight: a weight for each example, for arrays.

    Raises:
        DataError: it is something else, or empty.
    """
    if sample_weight is not None:
        if not _are_arrays(data) or len(data) != 2:
            raise DataError(
                f"sample_weight belongs to {split} data given as arrays (x, y). Let other data "
                "yield (x, y, sample_weight)."
            )
        data = (*data, np.asarray(sample_weight))
    if isinstance(data, tf.data.Dataset):
        return _Pipeline(data, split, steps)
    if isinstance(data, keras.utils.PyDataset):
        return _PyDataset(data, split, steps)
    if _are_arrays(data):
        return _Arrays(data, split, batch_size, steps)
    if callable(data):
        return _Generated(data, split, steps)
    if isinstance(data, Iterator):
        return _Generator(data, split, steps)
    raise DataError(
        f"Expected the {split} data as model.fit takes it: a tf.data.Dataset of batches, arrays "
        "(x, y), a keras.utils.PyDataset, or a function that returns a generator. "
        f"Received: {type(data).__name__}."
    )


def _are_arrays(data: Any) -> bool:
    return isinstance(data, tuple) and len(data) in (2, 3)


class _Pipeline:
    """A dataset of batches."""

    def __init__(self, dataset: tf.data.Dataset, split: str, steps: int | None) -> None:
        self._dataset, self._split, self._given = dataset, split, steps
        self._counted: int | None = None
        _check_batch(dataset.element_spec, split)
        if int(dataset.cardinality()) == 0:
            raise _empty(split)
        if steps is None and int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY:
            raise DataError(
                f"The {split} data has no end. Give {split}_steps, the batches of one pass, or "
                "leave out its repeat()."
            )

    @property
    def steps(self) -> int:
        if self._given is not None:
            return self._given
        known = int(self._dataset.cardinality())
        if known > 0:
            return known
        if self._counted is None:
            self._counted = sum(1 for _ in self._dataset)
        if not self._counted:
            raise _empty(self._split)
        return self._counted

    def once(self) -> tf.data.Dataset:
        return self._dataset if self._given is None else self._dataset.take(self._given)

    def endless(self, seed: int, start: int) -> tf.data.Dataset:
        return self._dataset.repeat().skip(start)

    def identity(self) -> str:
        return f"{self._dataset.element_spec} in {self.steps} batches"

    def halved(self) -> None:
        """The batches are the user's own."""


class _Arrays:
    """Arrays, shuffled for training."""

    def __init__(self, arrays: Any, split: str, batch_size: int, steps: int | None) -> None:
        # To tf.data a list is an array.
        self._arrays = keras.tree.lists_to_tuples(keras.tree.map_structure(np.asarray, arrays))
        lengths = {len(array) for array in keras.tree.flatten(self._arrays) if array.ndim}
        if len(lengths) != 1 or not min(lengths):
            raise DataError(
                f"Expected as many labels as examples in the {split} data, and at least one. "
                f"Received: arrays of lengths {', '.join(map(str, sorted(lengths))) or 'none'}."
            )
        if any(array.dtype == object for array in keras.tree.flatten(self._arrays)):
            raise DataError(f"Expected {split} arrays of numbers or text. Received: objects.")
        [self._examples] = lengths
        self._split, self._batch, self._given = split, batch_size, steps

    @cached_property
    def _finite(self) -> Any:
        """The arrays, looked through when they are first read: those of the test split last."""
        check_finite(self._arrays, f"The {self._split} data")
        return self._arrays

    @property
    def steps(self) -> int:
        return self._given or -(-self._examples // self._batch)

    def once(self) -> tf.data.Dataset:
        batches = tf.data.Dataset.from_tensor_slices(self._finite).batch(self._batch)
        return batches if self._given is None else batches.take(self._given)

    def endless(self, seed: int, start: int) -> tf.data.Dataset:
        order = tf.data.Dataset.range(self._examples).shuffle(self._examples, seed=seed)
        order = order.batch(self._batch).repeat().skip(start)
        with tf.device("CPU"):
            arrays = keras.tree.map_structure(tf.constant, self._finite)
        rows = order.map(
            lambda at: keras.tree.map_structure(lambda array: tf.gather(array, at), arrays)
        )
        return rows.prefetch(tf.data.AUTOTUNE)

    def sample(self, limit: int) -> tuple[Any, Any]:
        rows = np.linspace(0, self._examples - 1, min(limit, self._examples)).astype(int)
        taken = keras.tree.map_structure(lambda array: array[rows], self._finite)
        return taken[0], taken[1]

    def identity(self) -> str:
        digest = hashlib.sha256()
        for array in keras.tree.flatten(self._arrays):
            digest.update(f"{array.shape} {array.dtype}".encode())
            digest.update(np.ascontiguousarray(array[: self._batch]).tobytes())
        return digest.hexdigest()

    def halved(self) -> Feed | None:
        if self._batch == 1:
            return None
        steps = None if self._given is None else 2 * self._given
        return _Arrays(self._arrays, self._split, self._batch // 2, steps)


class _Sequence:
    """Batches that Python makes, one pass at a time. A subclass says how in `_passes`."""

    def __init__(self, split: str, steps: int | None) -> None:
        self._split, self._given = split, steps
        self._spec: Any = None
        self._counted: int | None = None

    @property
    def steps(self) -> int:
        if self._given is not None:
            return self._given
        if self._counted is None:
            self._counted = sum(1 for _ in self._pass())
        if not self._counted:
            raise _empty(self._split)
        return self._counted

    def once(self) -> tf.data.Dataset:
        return self._dataset(self._one)

    def endless(self, seed: int, start: int) -> tf.data.Dataset:
        return self._dataset(lambda: self._from(start))

    def identity(self) -> str:
        return f"{type(self).__name__} in {self.steps} batches of {self._signature()}"

    def halved(self) -> None:
        """The batches are the user's own."""

    def _pass(self) -> Iterator[Any]:
        raise NotImplementedError

    def _end_pass(self) -> None:
        """What follows a pass of training."""

    def _one(self) -> Iterator[Any]:
        """One pass; that it ends early is an error, for nobody would notice."""
        done = 0
        for batch in itertools.islice(self._pass(), self._given):
            done += 1
            yield batch
        expected = self._given or self._counted or 0
        if done < expected:
            raise DataError(
                f"The {self._split} data ended after {done} batches; expected {expected}. "
                f"Give fewer {self._split}_steps, or a function that returns a new generator "
                "for each pass."
            )

    def _from(self, start: int) -> Iterator[Any]:
        """Batch after batch, pass after pass."""
        passes, skipped = divmod(start, self.steps)
        for _ in range(passes):
            self._end_pass()
        while True:
            yield from itertools.islice(self._one(), skipped, None)
            skipped = 0
            self._end_pass()

    def _signature(self) -> Any:
        if self._spec is None:
            first = next(self._pass(), None)
            if first is None:
                raise _empty(self._split)
            batch = _as_tuple(first, self._split)
            self._spec = keras.tree.map_structure(_any_length, batch)
        return self._spec

    def _dataset(self, batches: Callable[[], Iterator[Any]]) -> tf.data.Dataset:
        signature = self._signature()
        return tf.data.Dataset.from_generator(
            lambda: (_as_tuple(batch, self._split) for batch in batches()),
            output_signature=signature,
        )


class _PyDataset(_Sequence):
    """A `keras.utils.PyDataset`."""

    def __init__(self, dataset: keras.utils.PyDataset, split: str, steps: int | None) -> None:
        super().__init__(split, steps if steps is not None else len(dataset))
        self._data = dataset

    def _pass(self) -> Iterator[Any]:
        return (self._data[index % len(self._data)] for index in range(self.steps))

    def _end_pass(self) -> None:
        self._data.on_epoch_end()


class _Generated(_Sequence):
    """A function that returns a generator, one for each pass."""

    def __init__(self, make: Callable[[], Iterator[Any]], split: str, steps: int | None) -> None:
        super().__init__(split, steps)
        self._make = make

    def _pass(self) -> Iterator[Any]:
        return iter(self._make())


class _Generator(_Sequence):
    """A generator itself, which can be read once: what is read again is kept."""

    def __init__(self, generator: Iterator[Any], split: str, steps: int | None) -> None:
        if steps is None:
            raise DataError(
                f"A generator as {split} data needs {split}_steps, the batches of one pass."
            )
        super().__init__(split, steps)
        self._generator, self._kept = generator, list[Any]()

    def _pass(self) -> Iterator[Any]:
        for index in range(self.steps):
            if index == len(self._kept):
                batch = next(self._generator, None)
                if batch is None:
                    return
                self._kept.append(batch)
            yield self._kept[index]


def _empty(split: str) -> DataError:
    return DataError(f"The {split} data is empty. Give at least one batch.")


def _as_tuple(batch: Any, split: str) -> Any:
    batch = tuple(batch) if isinstance(batch, list) else batch
    _check_batch(batch, split)
    return keras.tree.lists_to_tuples(keras.tree.map_structure(np.asarray, batch))


def _check_batch(batch: Any, split: str) -> None:
    if not (isinstance(batch, tuple) and len(batch) in (2, 3)):
        raise DataError(
            f"Expected batches (x, y) or (x, y, sample_weight) of the {split} data. Received: "
            f"{type(batch).__name__}{f' of {len(batch)}' if isinstance(batch, tuple) else ''}."
        )


def _any_length(array: np.ndarray) -> tf.TensorSpec:
    return tf.TensorSpec((None, *array.shape[1:]), array.dtype)
