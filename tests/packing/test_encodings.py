"""Weights taken apart and put together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.packing.encodings import decode, encode, value_bytes


def weight(shape, density, dtype="float32", seed=0):
    rng = np.random.default_rng(seed)
    return np.where(rng.uniform(size=shape) < density, rng.normal(size=shape), 0).astype(dtype)


def restored(array):
    return decode(encode(array), array.shape, array.dtype)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=0, max_size=3),
    st.sampled_from([0.0, 0.001, 0.05, 0.5, 1.0]),
    st.sampled_from(["float32", "float16", "float64"]),
)
def test_every_weight_comes_back(shape, density, dtype):
    array = weight(shape, density, dtype)
    np.testing.assert_array_equal(restored(array), array)
    assert restored(array).dtype == array.dtype


@pytest.mark.parametrize("gap", [0, 1, 253, 254, 255, 256, 509, 510, 511, 1020, 5000])
def test_gaps_of_any_length_come_back(gap):
    array = np.zeros(gap + 3000, "float32")
    array[[gap, gap + 1, -1]] = [1, 2, 3]
    assert encode(array).note["form"] == "gaps"
    np.testing.assert_array_equal(restored(array), array)


@pytest.mark.parametrize(("density", "form"), [(0.01, "gaps"), (0.3, "bits"), (1.0, "all")])
def test_the_shortest_form_is_chosen(density, form):
    encoded = encode(weight((100, 100), density))
    assert encoded.note["form"] == form
    assert len(encoded.values) == value_bytes(encoded.note, np.dtype("float32"))
    assert len(encoded.positions) + len(encoded.values) <= 40_000


def test_values_of_a_codebook_take_a_byte():
    codebook = np.array([-1.5, 0.25, 3.0], "float32")
    array = np.where(weight((40, 40), 0.2) != 0, np.resize(codebook, (40, 40)), 0)
    array = array.astype("float32")
    encoded = encode(array, codebook)
    assert len(encoded.values) == np.count_nonzero(array)
    np.testing.assert_array_equal(decode(encoded, array.shape, array.dtype), array)


def test_a_negative_zero_is_a_zero():
    array = weight((40, 40), 0.1)
    minus = np.where(array == 0, -np.float32(0), array)
    assert encode(minus) == encode(array)


def test_not_a_number_is_kept():
    array = np.array([0, np.nan, 0, -np.inf] + [0] * 60, "float32")
    np.testing.assert_array_equal(restored(array), array)
