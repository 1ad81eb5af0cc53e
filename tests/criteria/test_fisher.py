"""The Fisher information of a channel's gate, by hand."""

import numpy as np
import pytest

from keras_prune.criteria import Fisher
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import examples, products_of_two_readers, two_flat_readers

pytestmark = pytest.mark.tensorflow


def test_products_are_summed_over_positions_and_readers_and_squared_example_by_example():
    model = two_flat_readers()
    x, y = examples(model)
    products = products_of_two_readers(model, x, y)
    expected = np.square(products.sum(axis=1)).mean(axis=0)
    found = Fisher(batch_size=2)(ChannelGraph(model), (x, y))["a"]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
