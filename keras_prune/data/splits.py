"""The three splits of a data set, as batched pipelines of a network's input."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import tensorflow as tf

from keras_prune.data.augmentation import Augmentation
from keras_prune.data.images import as_inputs
from keras_prune.data.sources import Arrays, Source

Tensors = tuple[tf.Tensor, tf.Tensor]


@dataclass(frozen=True)
class Splits:
    """Train, validation and test split of one data set.

    A split is decoded when it is first asked for and then kept in memory; nothing reads the test
    split before `.test` does. Every pipeline yields `(images, labels)`: float32
    `(batch, height, width, channels)` with pixel values 0-255 times `rescale`, and int32
    `(batch,)`.

    Args:
        name: the data set.
        num_classes: number of classes.
        input_shape: `(height, width, channels)` that the images are brought to.
        sizes: examples in `"train"`, `"validation"` and `"test"`.
        source: where the decoded arrays come from.
        batch_size: images in a batch.
        seed: orders and moves the training images of `.train`.
        augmentation: how training images are moved; default not at all.
        rescale: what pixel values are multiplied by.
    """

    name: str
    num_classes: int
    input_shape: tuple[int, int, int]
    sizes: Mapping[str, int]
    source: Source = field(repr=False)
    batch_size: int = 128
    seed: int = 0
    augmentation: Augmentation | None = None
    rescale: float = 1.0
    _decoded: dict[str, Tensors] = field(default_factory=dict, repr=False, compare=False)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes' names in the order of their labels; empty where there are none."""
        return self.source.class_names

    @property
    def train(self) -> tf.data.Dataset:
        """One pass over the training split: shuffled, augmented, in whole batches."""
        return self.training(self.seed)

    @property
    def validation(self) -> tf.data.Dataset:
        """The validation split in its fixed order."""
        return self._in_order("validation")

    @property
    def test(self) -> tf.data.Dataset:
        """The test split in its fixed order. Asking for it is what reads it."""
        return self._in_order("test")

    def training(self, seed: int) -> tf.data.Dataset:
        """One pass over the training split, shuffled and augmented by another seed.

        Each further pass over the same pipeline has another order and other moves.

        Args:
            seed: the same seed gives the same passes.
        """
        return _mapped(self._draws(seed), self._training_batch())

    def endless_training(self, seed: int, start: int = 0) -> tf.data.Dataset:
        """Pass after pass over the training split, each in another order and moved otherwise.

        Args:
            seed: the same seed gives the same passes.
            start: number of the first batch; those before it are not made.
        """
        return _mapped(self._draws(seed).repeat().skip(start), self._training_batch())

    def _draws(self, seed: int) -> tf.data.Dataset:
        """One pass of `(rows of a batch, seed of its moves)`."""
        size = self.sizes["train"]
        order = tf.data.Dataset.range(size).shuffle(size, seed=seed)
        order = order.batch(self.batch_size, drop_remainder=True)
        moves = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)
        return tf.data.Dataset.zip((order, moves))

    def _training_batch(self) -> Callable[..., Tensors]:
        images, labels = self._read("train")

        def batch(rows: tf.Tensor, move: tf.Tensor) -> Tensors:
            inputs = self._inputs(tf.gather(images, rows))
            if self.augmentation is not None:
                inputs = self.augmentation(inputs, move)
            return inputs, tf.gather(labels, rows)

        return batch

    def feed(self, split: str) -> "SplitFeed":
        """One split as a task reads it."""
        return SplitFeed(self, split)

    def validation_arrays(self, limit: int | None = None) -> Arrays:
        """The first validation examples as arrays, for rollouts.

        Args:
            limit: how many; default all.

        Returns:
            Images float32 `(examples, height, width, channels)` and labels int32 `(examples,)`.
        """
        return self._arrays("validation", limit)

    def test_arrays(self, limit: int | None = None) -> Arrays:
        """The first test examples as arrays, likewise. Asking for them reads the test split."""
        return self._arrays("test", limit)

    def _arrays(self, split: str, limit: int | None) -> Arrays:
        images, labels = self._read(split)
        return self._inputs(images[:limit]).numpy(), labels[:limit].numpy()

    def training_sample(self, limit: int) -> Arrays:
        """Training examples as arrays, spread evenly over the split and not augmented.

        Args:
            limit: how many, at most.

        Returns:
            Images float32 `(examples, height, width, channels)` and labels int32 `(examples,)`.
        """
        images, labels = self._read("train")
        size = len(labels)
        rows = np.linspace(0, size - 1, min(limit, size)).astype(int)
        return self._inputs(tf.gather(images, rows)).numpy(), tf.gather(labels, rows).numpy()

    def _in_order(self, split: str) -> tf.data.Dataset:
        dataset = tf.data.Dataset.from_tensor_slices(self._read(split)).batch(self.batch_size)
        return _mapped(dataset, lambda images, labels: (self._inputs(images), labels))

    def _read(self, split: str) -> Tensors:
        if split not in self._decoded:
            with tf.device("CPU"):
                images, labels = map(tf.constant, self.source.read(split))
            self._decoded[split] = images, labels
        return self._decoded[split]

    def _inputs(self, images: tf.Tensor) -> tf.Tensor:
        return as_inputs(images, self.input_shape, self.rescale)


def _mapped(dataset: tf.data.Dataset, function: Callable[..., Tensors]) -> tf.data.Dataset:
    return dataset.map(function, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


@dataclass(frozen=True)
class SplitFeed:
    """One split of a data set, as batches that can be read from any place.

    Args:
        splits: the data set.
        split: `"train"`, `"validation"` or `"test"`.
    """

    splits: Splits
    split: str

    @property
    def steps(self) -> int:
        """Batches in one pass; training batches are whole."""
        size, batch = self.splits.sizes[self.split], self.splits.batch_size
        return size // batch if self.split == "train" else -(-size // batch)

    def once(self) -> tf.data.Dataset:
        """One pass."""
        return getattr(self.splits, self.split)

    def endless(self, seed: int, start: int) -> tf.data.Dataset:
        """Training batches without end."""
        return self.splits.endless_training(seed, start)

    def sample(self, limit: int) -> Arrays:
        """Training examples, spread evenly."""
        return self.splits.training_sample(limit)

    def identity(self) -> str:
        """The data set and what its images look like: two copies of one may differ."""
        images, labels = self.splits.validation_arrays(self.splits.batch_size)
        digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()[:16]
        sizes = dict(self.splits.sizes)
        return f"{self.splits.name} {sizes} {self.splits.input_shape} {digest}"

    def halved(self) -> "SplitFeed | None":
        """The same in batches of half the size; None where they have one example."""
        size = self.splits.batch_size // 2
        return SplitFeed(replace(self.splits, batch_size=size), self.split) if size else None
