"""The first wrong example of an array is named."""

import numpy as np
import pytest
import tensorflow as tf

from keras_prune.data.finite import check_finite
from keras_prune.data.given import given
from keras_prune.errors import DataError

NAN = np.float32("nan")


@pytest.mark.parametrize("value", [NAN, np.float32("inf"), -np.float32("inf")])
def test_the_first_wrong_example_of_an_array_is_named(value):
    array = np.zeros((9, 2, 2), "float32")
    array[4, 1, 0] = array[7, 0, 0] = value
    with pytest.raises(DataError, match=r"My data .*\(9, 2, 2\): in 2 examples, .* number 4 \("):
        check_finite([np.ones(9), array], "My data")


def test_what_is_large_or_no_number_at_all_passes():
    large = np.full((9, 2), np.finfo("float64").max)
    check_finite((large, np.array(["a"] * 9), np.arange(9)), "My data")


@pytest.mark.parametrize("form", [tuple, tf.data.Dataset.from_tensor_slices])
def test_images_of_a_users_function_are_looked_through(form):
    images, labels = np.ones((5, 2, 2, 1), "float32"), np.arange(5)
    images[3, 1] = NAN
    found = given(form((images, labels)), "mine:splits, train split")
    with pytest.raises(DataError, match="mine:splits, train split: the images hold .* number 3 "):
        found.read()
