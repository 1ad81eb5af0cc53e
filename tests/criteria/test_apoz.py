"""How often activations are zero, by hand."""

import numpy as np
import pytest

from keras_prune.criteria import APoZ
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import examples, two_flat_readers, weights

pytestmark = pytest.mark.tensorflow


def test_the_fraction_that_is_not_zero():
    model = two_flat_readers()
    x, _ = examples(model, 20)
    w, b = weights(model, "a")
    expected = (x @ w[0, 0] + b > 0).mean(axis=(0, 1, 2))
    assert len({*expected.tolist()}) == 3
    np.testing.assert_allclose(APoZ(batch_size=6)(ChannelGraph(model), x)["a"], expected)
