"""The Fisher information of a channel's gate, by hand."""

import numpy as np
import pytest

from keras_prune.criteria import Fisher
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import examples, softmax, two_flat_readers, weights

pytestmark = pytest.mark.tensorflow


def test_products_are_summed_over_positions_and_readers_and_squared_example_by_example():
    model = two_flat_readers()
    x, y = examples(model)
    (w, b), (v1, c1), (v2, c2) = (weights(model, name) for name in ("a", "one", "two"))
    z = np.maximum(x @ w[0, 0] + b, 0).reshape(len(x), -1)
    error = softmax(z @ (v1 + v2) + c1 + c2) - np.eye(2)[y]
    products = (z * (error @ v1.T) + z * (error @ v2.T)).reshape(len(x), 4, 3)
    expected = np.square(products.sum(axis=1)).mean(axis=0)
    found = Fisher(batch_size=2)(ChannelGraph(model), (x, y))["a"]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
