"""Data sets by name, on the embedded one."""

import numpy as np
import pytest

from keras_prune import data
from keras_prune.errors import DataError


def test_batches_are_what_a_network_takes():
    splits = data.load("digits", input_shape=(32, 24, 3), batch_size=50)
    for dataset, last in ((splits.train, 50), (splits.validation, 9), (splits.test, 10)):
        batches = list(dataset.as_numpy_iterator())
        images, labels = batches[0]
        assert images.shape == (50, 32, 24, 3)
        assert (images.dtype, labels.dtype) == (np.float32, np.int32)
        assert 200 < images.max() <= 255 and images.min() == 0
        assert len(batches[-1][0]) == last


def test_pixel_values_are_rescaled_in_every_split():
    whole, scaled = (
        data.load("digits", input_shape=(8, 8, 1), augment=False, rescale=scale)
        for scale in (1.0, 1 / 255)
    )
    for read in (
        lambda splits: splits.validation_arrays()[0],
        lambda splits: splits.training_sample(40)[0],
        lambda splits: next(splits.train.as_numpy_iterator())[0],
        lambda splits: next(splits.test.as_numpy_iterator())[0],
    ):
        np.testing.assert_allclose(read(scaled), read(whole) / 255, rtol=1e-6)
    for scale in (0, -1, float("nan"), float("inf")):
        with pytest.raises(DataError, match="rescale to be a finite number above 0"):
            data.load("digits", input_shape=(8, 8, 1), rescale=scale)


def test_the_splits_are_disjoint_stratified_and_independent_of_the_seed():
    rows = {}
    for seed in (0, 1):
        splits = data.load("digits", input_shape=(8, 8, 1), seed=seed, augment=False, batch_size=1)
        rows[seed] = {
            part: {image.tobytes() for image, _ in getattr(splits, part).as_numpy_iterator()}
            for part in ("train", "validation", "test")
        }
    assert rows[0] == rows[1]
    first = rows[0]
    assert not first["train"] & first["test"]
    assert not first["train"] & first["validation"]
    assert not first["validation"] & first["test"]
    _, labels = splits.validation_arrays()
    assert set(np.bincount(labels, minlength=10)) <= {34, 35, 36, 37}


def test_the_scans_reach_the_network_unrounded():
    splits = data.load("digits", input_shape=(8, 8, 1))
    images, _ = splits.validation_arrays()
    levels = np.unique(images)
    np.testing.assert_allclose(levels, np.arange(17) * 255 / 16, rtol=1e-6)


def test_the_seed_orders_and_moves_the_training_images():
    def passes(seed):
        splits = data.load("digits", input_shape=(16, 16, 1), seed=seed)
        train = splits.train
        return [next(train.as_numpy_iterator())[0] for _ in range(2)]

    first, again, other = passes(3), passes(3), passes(4)
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])


def test_a_second_pass_differs_and_is_as_reproducible():
    def two_passes():
        splits = data.load("digits", input_shape=(16, 16, 1), batch_size=1078)
        return [images for images, _ in splits.training(5).repeat(2).as_numpy_iterator()]

    one, two = two_passes()
    again = two_passes()
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(one, again[0])
    np.testing.assert_array_equal(two, again[1])


def test_validation_arrays_are_the_head_of_the_validation_split():
    splits = data.load("digits", input_shape=(32, 32, 3))
    images, labels = splits.validation_arrays(limit=100)
    first, first_labels = next(splits.validation.as_numpy_iterator())
    assert images.shape == (100, 32, 32, 3)
    np.testing.assert_allclose(images, first[:100], rtol=1e-6)
    np.testing.assert_array_equal(labels, first_labels[:100])


def test_available_names_are_sorted():
    assert data.available() == ("cifar10", "digits", "fashion_mnist", "mnist")


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(DataError, match="Did you mean 'cifar10'"):
        data.load("cifar", input_shape=(32, 32, 3))


@pytest.mark.parametrize("shape", [(32, 32), (32, 32, 2), (0, 32, 3), (32.0, 32, 3), 32, None])
def test_an_impossible_input_shape_is_refused(shape):
    with pytest.raises(DataError, match="input_shape"):
        data.load("digits", input_shape=shape)


def test_a_batch_is_no_larger_than_the_training_split():
    splits = data.load("digits", input_shape=(8, 8, 1), batch_size=5000)
    assert next(iter(splits.train))[0].shape[0] == 1078


def test_a_batch_of_nothing_is_refused():
    with pytest.raises(DataError, match="batch size of at least 1. Received: batch_size=0"):
        data.load("digits", input_shape=(8, 8, 1), batch_size=0)
