"""Networks that are longer than Python's stack of calls are pruned, saved and loaded."""

import sys

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.runtimes.loading import load_model
from keras_prune.utils.long_networks import long_networks


def chain(blocks):
    x = inputs = keras.Input((2, 2, 2))
    for number in range(blocks):
        x = keras.layers.Conv2D(2, 1, name=f"conv{number}")(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
    with long_networks():
        return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))


@pytest.mark.slow
def test_a_chain_of_a_thousand_layers(tmp_path):
    model = chain(350)
    assert len(model.layers) > sys.getrecursionlimit()
    graph = kp.ChannelGraph(model)
    plan = kp.PruningPlan.for_graph(graph, {"conv3": [0], "conv200": [1]})
    small = kp.prune(model, plan)
    x = np.random.default_rng(0).normal(size=(2, 2, 2, 2)).astype("float32")
    np.testing.assert_allclose(small(x), kp.silence(model, plan)(x), atol=1e-5)
    for name in ("m.keras", "m.kpz"):
        kp.export(small, tmp_path / name)
        np.testing.assert_allclose(load_model(tmp_path / name)(x), small(x), atol=1e-6)


def test_the_limit_is_as_before():
    before = sys.getrecursionlimit()
    with long_networks(), long_networks():
        assert sys.getrecursionlimit() > before
    assert sys.getrecursionlimit() == before
