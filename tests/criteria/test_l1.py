"""Sums of absolute weights, by hand."""

import numpy as np
import pytest

from keras_prune.criteria import L1
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import two_readers, weights


def by_hand(model):
    """Of the filters of `a`, and of the slices of `b` and `c` that read them."""
    a, b, c = (np.abs(weights(model, name)[0]) for name in "abc")
    return np.stack([a.sum((0, 1, 2)), b.sum((0, 1, 3)), c.sum((0, 1, 3))])


@pytest.mark.parametrize(
    ("reduction", "reduce"),
    [
        ("sum", lambda x: x.sum(0)),
        ("mean", lambda x: x.mean(0)),
        ("max", lambda x: x.max(0)),
        ("first", lambda x: x[0]),
    ],
)
def test_a_convolution_with_a_norm_and_two_readers(reduction, reduce):
    model = two_readers()
    found = L1(reduction)(ChannelGraph(model))["a"]
    np.testing.assert_allclose(found, reduce(by_hand(model)), rtol=1e-6)


def test_without_readers():
    model = two_readers()
    found = L1(consumers=False)(ChannelGraph(model))
    np.testing.assert_allclose(found["a"], by_hand(model)[0], rtol=1e-6)
    assert list(found) == ["a", "b", "c"]
