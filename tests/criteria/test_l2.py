"""Euclidean norms, by hand."""

import numpy as np

from keras_prune.criteria import L2
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import dense, weights


def test_a_dense_pair():
    model = dense()
    made, read = weights(model, "hidden")[0], weights(model, "head")[0]
    expected = (np.sqrt((made**2).sum(0)) + np.sqrt((read**2).sum(1))) / 2
    found = L2()(ChannelGraph(model))["hidden"]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
