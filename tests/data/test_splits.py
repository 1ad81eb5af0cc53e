"""Which split is read when, and what becomes of its images."""

import numpy as np
import pytest

from keras_prune.data import Splits
from keras_prune.data.augmentation import Augmentation
from keras_prune.data.splits import SplitFeed


class Recorded:
    """Three tiny splits; remembers which were read."""

    num_classes = 2
    sizes = {"train": 4, "validation": 2, "test": 2}  # noqa: RUF012

    def __init__(self, channels=1):
        self.read_splits = []
        self._channels = channels

    def read(self, split):
        self.read_splits.append(split)
        count = self.sizes[split]
        images = np.zeros((count, 6, 6, self._channels), "uint8")
        images += np.arange(count, dtype="uint8")[:, None, None, None] * 10
        return images, np.arange(count, dtype="int32") % 2


def opened(source, shape=(6, 6, 1)):
    return Splits("recorded", 2, shape, source.sizes, source, batch_size=2)


def test_the_test_split_is_read_only_when_asked_for():
    source = Recorded()
    splits = opened(source)
    assert source.read_splits == []
    list(splits.train)
    list(splits.validation)
    splits.validation_arrays()
    assert source.read_splits == ["train", "validation"]
    list(splits.test)
    assert source.read_splits == ["train", "validation", "test"]


def test_a_split_is_decoded_once():
    source = Recorded()
    splits = opened(source)
    for _ in range(3):
        list(splits.train)
    assert source.read_splits == ["train"]


@pytest.mark.parametrize(("have", "want"), [(1, 3), (3, 1), (3, 3), (1, 1)])
def test_channels_and_sizes_are_converted(have, want):
    splits = opened(Recorded(have), shape=(9, 5, want))
    images, labels = splits.validation_arrays()
    assert images.shape == (2, 9, 5, want)
    np.testing.assert_allclose(images[1], 10, rtol=1e-3)
    np.testing.assert_array_equal(labels, [0, 1])


def test_training_keeps_image_and_label_together():
    for images, labels in opened(Recorded()).train.as_numpy_iterator():
        np.testing.assert_array_equal(images[:, 0, 0, 0] / 10 % 2, labels)


def test_every_pass_moves_the_images_anew():
    class Same(Recorded):
        def read(self, split):
            image = np.arange(36, dtype="uint8").reshape(1, 6, 6, 1)
            return np.repeat(image, 4, axis=0), np.zeros(4, "int32")

    source = Same()
    splits = Splits(
        "same",
        2,
        (6, 6, 1),
        source.sizes,
        source,
        batch_size=4,
        augmentation=Augmentation(0.5, True),
    )
    one, two = (images for images, _ in splits.train.repeat(2).as_numpy_iterator())
    assert not np.array_equal(one, two)
    assert len(np.unique(one, axis=0)) > 1


def test_a_training_sample_is_spread_over_the_split():
    source = Recorded()
    images, labels = opened(source).training_sample(3)
    assert images[:, 0, 0, 0].tolist() == [0, 10, 30]
    assert labels.tolist() == [0, 1, 1]
    assert source.read_splits == ["train"]
    assert len(opened(source).training_sample(100)[0]) == 4


def moving(seed=0):
    """Three batches of two images, augmented."""

    class Six(Recorded):
        sizes = {"train": 7, "validation": 3, "test": 2}  # noqa: RUF012

        def read(self, split):
            self.read_splits.append(split)
            images = np.random.default_rng(1).integers(0, 255, (self.sizes[split], 6, 6, 1))
            return images.astype("uint8"), np.arange(self.sizes[split], dtype="int32") % 2

    source = Six()
    moves = Augmentation(0.5, True)
    return Splits("six", 2, (6, 6, 1), source.sizes, source, 2, seed, moves)


def batches(dataset, count):
    return [tuple(batch) for batch in dataset.take(count).as_numpy_iterator()]


def assert_batches(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("start", [0, 1, 2, 3, 5])
def test_the_endless_stream_can_be_entered_anywhere(start):
    whole = batches(moving().endless_training(seed=4), 8)
    assert_batches(batches(moving().endless_training(4, start), 8 - start), whole[start:])


def test_the_stream_is_another_in_every_pass_and_for_every_seed():
    whole = batches(moving().endless_training(4), 6)
    assert_batches(batches(moving().training(4), 9), whole[:3])  # one pass of whole batches
    for other in (whole[3:], batches(moving().endless_training(5), 3)):
        assert not all(
            np.array_equal(a, b) for (a, _), (b, _) in zip(whole[:3], other, strict=True)
        )


def test_a_feed_is_a_split_as_a_task_reads_it():
    splits = moving(seed=2)
    train, validation = (splits.feed(name) for name in ("train", "validation"))
    assert isinstance(train, SplitFeed)
    assert (train.steps, validation.steps) == (3, 2)
    assert_batches(batches(train.once(), 9), batches(moving(2).train, 9))
    assert_batches(batches(validation.once(), 9), batches(moving().validation, 9))
    assert_batches(batches(train.endless(4, 2), 5), batches(moving().endless_training(4, 2), 5))
    np.testing.assert_array_equal(train.sample(3)[0], moving().training_sample(3)[0])


def test_the_identity_of_a_feed_tells_copies_apart_without_reading_the_test_split():
    class Compressed(Recorded):
        def read(self, split):
            images, labels = super().read(split)
            return images + np.uint8(1), labels

    source = Recorded()
    one = opened(source).feed("train").identity()
    assert source.read_splits == ["validation"]
    assert one == opened(Recorded()).feed("train").identity()
    assert one != opened(Compressed()).feed("train").identity()
