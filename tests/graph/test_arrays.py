"""Label arrays against NumPy's own arithmetic."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.graph import arrays


def test_batch_and_unknown_lengths_count_as_one():
    assert arrays.shape_of(keras.KerasTensor((None, 4, None, 3))) == (1, 4, 1, 3)
    assert arrays.shape_of(keras.KerasTensor((7, 2))) == (1, 2)


def test_spread_varies_along_one_axis_and_costs_nothing():
    labels = arrays.spread(np.arange(3), (1, 4, 5, 3), axis=-1)
    assert labels.shape == (1, 4, 5, 3)
    assert (labels == np.arange(3)).all()
    assert arrays.core(labels).shape == (1, 1, 1, 3)
    assert arrays.varying_axes(labels) == [3]
    assert arrays.varying_axes(arrays.spread(np.arange(4), (1, 4, 5, 3), axis=1)) == [1]


@st.composite
def label_arrays(draw, fewest=1, most=4):
    """An array that is broadcast along some axes."""
    shape = draw(st.lists(st.integers(1, 4), min_size=fewest, max_size=most))
    small = [length if draw(st.booleans()) else 1 for length in shape]
    values = np.arange(np.prod(small)).reshape(small)
    return np.broadcast_to(values, shape)


def splits(size: int) -> list[tuple[int, ...]]:
    """Every shape of up to three axes with so many elements."""
    by = [d for d in range(1, size + 1) if size % d == 0]
    return [(a, b, size // a // b) for a in by for b in by if size % (a * b) == 0] + [(size,)]


@given(label_arrays(), st.data())
@settings(deadline=None, max_examples=200)
def test_reshape_is_numpys(labels, data):
    shape = data.draw(st.sampled_from(splits(labels.size)))
    np.testing.assert_array_equal(arrays.reshape(labels, shape), labels.reshape(shape))
    np.testing.assert_array_equal(
        arrays.reshape(labels, (-1, *shape[1:])), labels.reshape(-1, *shape[1:])
    )


def test_reshape_leaves_broadcast_axes_broadcast():
    labels = arrays.spread(np.arange(3), (1, 400, 500, 3), axis=-1)
    merged = arrays.reshape(labels, (1, 200_000, 3))
    assert arrays.core(merged).shape == (1, 1, 3)
    assert arrays.core(arrays.reshape(merged, (1, 500, 400, 3))).size == 3


@given(label_arrays(fewest=3, most=3), st.integers(1, 3), st.integers(-3, 2))
@settings(deadline=None, max_examples=100)
def test_concatenate_is_numpys(labels, count, axis):
    other = arrays.spread(np.arange(labels.shape[axis]), labels.shape, axis)
    parts = [labels, *[other] * count]
    expected = np.concatenate(parts, axis=axis)
    np.testing.assert_array_equal(arrays.concatenate(parts, axis), expected)


def test_concatenate_writes_out_its_axis_only():
    parts = [arrays.spread(np.arange(3), (1, 400, 500, 3), axis=-1)] * 2
    assert arrays.core(arrays.concatenate(parts, -1)).size == 6


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 7)])
def test_an_axis_of_length_one_never_varies(shape):
    assert set(arrays.varying_axes(arrays.spread(np.arange(shape[-1]), shape, -1))) <= {2}
    assert arrays.varying_axes(np.ones((1, 1), int)) == []
