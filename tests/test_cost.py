"""Walk, plan, surgery and summary cost as much per block in a deep network as in a flat one."""

import cProfile
import gc

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.graph import ChannelGraph
from keras_prune.initializing import restore, with_zeros
from keras_prune.surgery import prune_graph
from tests.invariant import half_plan
from tests.networks import conv, head, image


def chain(blocks: int) -> keras.Model:
    x = conv(4, "stem")(i := image(4))
    for block in range(blocks):
        y = conv(4, f"a{block}", activation="relu")(x)
        x = kl.Add()([x, kl.BatchNormalization()(conv(4, f"b{block}")(y))])
    return keras.Model(i, head(x))


def calls(blocks: int) -> int:
    """How many functions this package calls; unlike a time, the same on a busy machine."""
    model = chain(blocks)
    with cProfile.Profile() as profiler:
        graph = ChannelGraph(model)
        prune_graph(graph, half_plan(graph))
        graph.summary()
    return sum(
        called.callcount
        for entry in profiler.getstats()
        if "keras_prune" in getattr(entry.code, "co_filename", "")
        for called in entry.calls or ()
    )


def test_cost_grows_linearly_with_depth():
    few, some, many = calls(4), calls(12), calls(28)
    assert (many - some) / 16 == pytest.approx((some - few) / 8, rel=0.05)


def test_no_random_weights_are_drawn(monkeypatch):
    def draws(*args: object, **kwargs: object) -> None:
        raise AssertionError("a kernel was drawn at random")

    graph = ChannelGraph(chain(1))
    plan = half_plan(graph)
    monkeypatch.setattr(keras.initializers.GlorotUniform, "__call__", draws)
    pruned = prune_graph(graph, plan)
    kernel = pruned.get_layer("stem").get_config()["kernel_initializer"]
    assert kernel["class_name"] == "GlorotUniform"


@pytest.mark.parametrize(
    "layer",
    [
        kl.Dense(3, kernel_initializer=keras.initializers.HeNormal(7), bias_initializer="ones"),
        kl.LSTM(3),
        kl.SeparableConv2D(3, 3),
    ],
    ids=lambda layer: layer.name,
)
def test_a_layer_built_with_zeros_gets_its_initialisers_back(layer):
    made = type(layer).from_config(with_zeros(layer, layer.get_config()))
    restore(layer, made)
    assert made.get_config() == layer.get_config()


def test_the_garbage_collector_runs_again_afterwards():
    graph = ChannelGraph(chain(1))
    prune_graph(graph, half_plan(graph))
    assert gc.isenabled()
    gc.disable()
    try:
        prune_graph(graph, half_plan(graph))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_weights_are_copied_not_shared():
    graph = ChannelGraph(model := chain(1))
    pruned = prune_graph(graph, half_plan(graph))
    before = model.get_layer("head").get_weights()[1].copy()
    pruned.get_layer("head").bias.assign(before + 1)
    np.testing.assert_array_equal(model.get_layer("head").get_weights()[1], before)
