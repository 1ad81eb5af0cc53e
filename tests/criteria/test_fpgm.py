"""Distances between filters, by hand."""

import numpy as np

from keras_prune.criteria import FPGM
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import dense, two_readers, weights


def distances(rows):
    return [sum(np.linalg.norm(row - other) for other in rows) for row in rows]


def test_filters_and_slices():
    model = two_readers()
    a, b, c = (weights(model, name)[0] for name in "abc")
    rows = [np.moveaxis(k, axis, 0).reshape(4, -1) for k, axis in ((a, 3), (b, 2), (c, 2))]
    expected = np.mean([distances(each) for each in rows], axis=0)
    np.testing.assert_allclose(FPGM()(ChannelGraph(model))["a"], expected, rtol=1e-6)


def test_the_filter_in_the_middle_leaves_first():
    model = dense()
    model.get_layer("hidden").kernel.assign([[9.0, 10.0, 11.0], [9.0, 10.0, 11.0]])
    found = FPGM(consumers=False)(ChannelGraph(model))["hidden"]
    assert found.argmin() == 1


def test_equal_filters_have_no_distance():
    model = dense()
    model.get_layer("hidden").kernel.assign(np.full((2, 3), 1e3 / 3))
    found = FPGM(consumers=False)(ChannelGraph(model))["hidden"]
    np.testing.assert_array_equal(found, 0)
