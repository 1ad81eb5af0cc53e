"""Activation times gradient, by hand and against the true change of the loss."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune import data, silence
from keras_prune.criteria import Taylor
from keras_prune.criteria.losses import per_example
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from tests.criteria.nets import (
    dense,
    examples,
    products_of_two_readers,
    softmax,
    two_flat_readers,
    weights,
)

pytestmark = pytest.mark.tensorflow


def test_a_dense_net_by_hand():
    model = dense()
    x, y = examples(model)
    (w, b), (v, c) = weights(model, "hidden"), weights(model, "head")
    z = np.maximum(x @ w + b, 0)
    gradient = (softmax(z @ v + c) - np.eye(2)[y]) @ v.T
    found = Taylor()(ChannelGraph(model), (x, y))["hidden"]
    np.testing.assert_allclose(found, np.abs(z * gradient).mean(axis=0), rtol=1e-4)


def test_positions_and_readers_by_hand():
    """The absolute value is taken of the mean over positions and readers, example by example."""
    model = two_flat_readers()
    x, y = examples(model)
    products = products_of_two_readers(model, x, y)
    expected = np.abs(products.sum(axis=1) / 8).mean(axis=0)
    assert not np.allclose(expected, np.abs(products).sum(axis=1).mean(axis=0) / 8, rtol=0.05)
    found = Taylor()(ChannelGraph(model), (x, y))["a"]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_probabilities_and_logits_score_alike():
    logits, probabilities = dense(), dense(last="softmax")
    x, y = examples(logits)
    one = Taylor()(ChannelGraph(logits), (x, y))["hidden"]
    two = Taylor()(ChannelGraph(probabilities), (x, y))["hidden"]
    np.testing.assert_allclose(one, two, rtol=1e-4)


def test_one_trace_for_all_batches_and_no_example_is_lost():
    model = two_flat_readers()
    x, y = examples(model, 11)
    traces = []

    def loss(labels, outputs):
        traces.append(outputs.shape)
        return keras.losses.sparse_categorical_crossentropy(labels, outputs, from_logits=True)

    batched = Taylor(batch_size=4, loss=loss)(ChannelGraph(model), (x, y))["a"]
    assert traces == [(None, 2)]
    whole = Taylor(batch_size=11)(ChannelGraph(model), (x, y))["a"]
    np.testing.assert_allclose(batched, whole, rtol=1e-4)


def test_batchnorm_uses_what_it_has_stored():
    i = keras.Input((2,))
    x = kl.BatchNormalization(name="norm")(kl.Dense(3, name="hidden")(i))
    model = keras.Model(i, kl.Dense(2)(x))
    x, y = examples(model)
    model.get_layer("norm").moving_mean.assign([1.0, 2.0, 3.0])
    before = model.get_weights()
    graph = ChannelGraph(model)
    alone = [Taylor()(graph, (x[n : n + 1], y[n : n + 1]))["hidden"] for n in range(len(x))]
    np.testing.assert_allclose(Taylor()(graph, (x, y))["hidden"], np.mean(alone, axis=0), rtol=1e-4)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def trained():
    keras.utils.set_random_seed(0)
    splits = data.load("digits", input_shape=(8, 8, 1), batch_size=64, augment=False)
    i = keras.Input((8, 8, 1))
    x = kl.Conv2D(8, 3, padding="same", name="a")(kl.Rescaling(1 / 255)(i))
    x = kl.ReLU()(kl.BatchNormalization()(x))
    x = kl.MaxPooling2D()(kl.ReLU()(kl.Conv2D(12, 3, padding="same", name="b")(x)))
    model = keras.Model(i, kl.Dense(10)(kl.Flatten()(x)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    model.fit(splits.train.repeat(), epochs=1, steps_per_epoch=100, shuffle=False, verbose=0)
    return model, splits.validation_arrays()


def rank_correlation(a, b):
    return np.corrcoef(np.argsort(np.argsort(a)), np.argsort(np.argsort(b)))[0, 1]


@pytest.mark.slow
def test_it_ranks_channels_as_ablating_them_does():
    model, (x, y) = trained()
    graph = ChannelGraph(model)
    loss = per_example(graph, None)
    whole = np.asarray(loss(y, model(x, training=False)))
    scores = Taylor()(graph, (x, y))
    for name, group in graph.groups.items():
        changes = []
        for channel in range(group.channels):
            kept = [other for other in range(group.channels) if other != channel]
            twin = silence(model, PruningPlan.for_graph(graph, {name: kept}))
            changes.append(np.abs(np.asarray(loss(y, twin(x, training=False))) - whole).mean())
        found = rank_correlation(scores[name], changes)
        print(f"{name}: rank correlation {found:.2f}")
        assert found > 0.5, name
