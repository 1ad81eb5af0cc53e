"""Few values for many weights."""

import numpy as np
import pytest

from keras_prune.packing.sharing import shared

ARRAY = np.random.default_rng(0).normal(size=(30, 40)).astype("float32")
ARRAY[ARRAY < 0.3] = 0


@pytest.mark.parametrize("count", [2, 16, 256])
def test_numbers_become_the_nearest_of_few_values_and_zeros_stay(count):
    rounded, values = shared(ARRAY, count)
    assert len(values) <= count
    assert (np.diff(values) > 0).all()
    assert set(np.unique(rounded)) <= {0.0, *values.tolist()}
    np.testing.assert_array_equal(rounded == 0, ARRAY == 0)
    distance = np.abs(ARRAY[..., None] - values).min(-1)[ARRAY != 0]
    np.testing.assert_allclose(np.abs(rounded - ARRAY)[ARRAY != 0], distance, atol=1e-6)


def test_more_values_lose_less():
    errors = [np.square(shared(ARRAY, count)[0] - ARRAY).mean() for count in (2, 8, 32, 128)]
    assert errors == sorted(errors, reverse=True)


def test_few_numbers_stay_what_they_are():
    array = np.array([[0, 1.5], [-2, 1.5]], "float32")
    rounded, values = shared(array, 4)
    np.testing.assert_array_equal(rounded, array)
    assert values.tolist() == [-2, 1.5]
