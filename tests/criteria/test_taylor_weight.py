"""Weight times gradient, by hand."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.criteria import TaylorWeight
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import dense, examples, softmax, weights

pytestmark = pytest.mark.tensorflow


def by_hand(model, x, y):
    """Scores of the kernel that makes the channels and of the one that reads them."""
    (w, b), (v, c) = weights(model, "hidden"), weights(model, "head")
    z = np.maximum(x @ w + b, 0)
    error = (softmax(z @ v + c) - np.eye(2)[y]) / len(x)
    made = x.T @ (error @ v.T * (z > 0))
    return np.stack([(w * made).sum(axis=0) ** 2, (v * (z.T @ error)).sum(axis=1) ** 2])


@pytest.mark.parametrize("reduction", ["mean", "max", "first"])
def test_a_dense_net(reduction):
    model = dense()
    data = examples(model)
    rows = by_hand(model, *data)
    expected = {"mean": rows.mean(0), "max": rows.max(0), "first": rows[0]}[reduction]
    found = TaylorWeight(reduction=reduction)(ChannelGraph(model), data)["hidden"]
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_batches_are_averaged_by_their_size_and_readers_may_be_left_out():
    model = dense()
    x, y = examples(model)
    one, two = by_hand(model, x[:4], y[:4])[0], by_hand(model, x[4:], y[4:])[0]
    found = TaylorWeight(batch_size=4, consumers=False)(ChannelGraph(model), (x, y))["hidden"]
    np.testing.assert_allclose(found, (4 * one + 3 * two) / 7, rtol=1e-3)


def test_frozen_layers_and_tables_count():
    i = keras.Input((6,), dtype="int32")
    x = kl.GlobalAveragePooling1D()(kl.Embedding(5, 4, name="table")(i))
    model = keras.Model(i, kl.Dense(2)(x))
    model.trainable = False
    data = np.random.default_rng(0).integers(0, 5, (8, 6)), np.arange(8) % 2
    found = TaylorWeight(consumers=False)(ChannelGraph(model), data)["table"]
    assert (found > 0).all()
