"""Random shifts and flips."""

import numpy as np
import tensorflow as tf

from keras_prune.data.augmentation import Augmentation


def moved(shift, flip, seed=0, batch=64, side=8):
    """A batch whose pixels are their own row and column, after augmentation."""
    rows, columns = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    image = np.stack([rows, columns], -1).astype("float32")
    images = tf.constant(np.repeat(image[None], batch, 0))
    result = Augmentation(shift, flip)(images, tf.constant([seed, 1], tf.int64))
    assert result.shape == images.shape
    return result.numpy()


def reflected(side, offset):
    return np.pad(np.arange(side), 4, mode="reflect")[4 + offset : 4 + offset + side]


def test_every_image_is_a_reflected_crop_within_reach():
    seen = set()
    for image in moved(0.25, False):
        found = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if np.array_equal(image[:, 0, 0], reflected(8, down))
            and np.array_equal(image[0, :, 1], reflected(8, right))
        ]
        assert len(found) == 1
        seen.update(found)
    assert {down for down, _ in seen} == {right for _, right in seen} == set(range(-2, 3))


def test_about_half_are_flipped_left_to_right_and_none_upside_down():
    images = moved(0.0, True, batch=400)
    flipped = images[:, 0, 0, 1] == 7
    assert 150 < flipped.sum() < 250
    assert (images[flipped][:, 0, :, 1] == np.arange(7, -1, -1)).all()
    assert (images[:, :, 0, 0] == np.arange(8)).all()


def test_no_flip_unless_asked_for():
    assert (moved(0.0, False)[:, 0, :, 1] == np.arange(8)).all()


def test_the_seed_decides():
    np.testing.assert_array_equal(moved(0.25, True), moved(0.25, True))
    assert not np.array_equal(moved(0.25, True), moved(0.25, True, seed=1))
