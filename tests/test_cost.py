"""Walk, plan, surgery and summary cost as much per block in a deep network as in a flat one."""

import cProfile
import gc

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.graph import ChannelGraph
from keras_prune.surgery import initializers, prune_graph
from keras_prune.surgery.initializers import InitialValues
from tests.networks import conv, head, image
from tests.surgery.invariant import half_plan


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


@pytest.mark.slow
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


LAYERS = [kl.Dense(3), kl.BatchNormalization(), kl.SeparableConv1D(3, 3), kl.LSTM(3)]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_a_rebuilt_layer_starts_with_its_values(layer):
    layer.build((None, 4, 4))
    made = type(layer).from_config(layer.get_config())
    values = [np.full(weight.shape, i, "float32") for i, weight in enumerate(layer.weights)]
    initial = InitialValues(made, [weight.name for weight in layer.weights], values)
    made.build((None, 4, 4))
    initial.settle()
    for weight, value in zip(made.weights, values, strict=True):
        np.testing.assert_array_equal(weight, value)
    assert "add_weight" not in vars(made)
    assert made.get_config() == layer.get_config()


def test_a_weight_that_took_its_value_is_not_assigned_it_again(monkeypatch):
    def assigned(*args: object) -> None:
        raise AssertionError("a weight was written twice")

    graph = ChannelGraph(chain(1))
    plan = half_plan(graph)
    monkeypatch.setattr(keras.Variable, "assign", assigned)
    prune_graph(graph, plan)


class Twice(kl.Layer):
    """Two weights of one name and shape."""

    def build(self, shape):
        self.a = self.add_weight(shape=(2,), name="w")
        self.b = self.add_weight(shape=(2,), name="w")


class Changed(Twice):
    """A weight is no longer what it was made with when `build` ends."""

    def build(self, shape):
        super().build(shape)
        self.b.assign(self.b * 2)


@pytest.mark.parametrize(("kind", "trusted"), [(Twice, True), (Changed, False)])
def test_values_that_a_layer_mixes_up_or_changes_are_assigned(kind, trusted, monkeypatch):
    if trusted:
        monkeypatch.setattr(initializers, "_built_by_keras", lambda layer: True)
    values = [np.full(2, i, "float32") for i in (1, 2)]
    initial = InitialValues(made := kind(), ["w", "w"], values)
    made.build((None, 2))
    initial.settle()
    np.testing.assert_array_equal(made.get_weights(), values)


def test_a_view_of_other_memory_is_not_shared(monkeypatch):
    """PyTorch makes a weight of the very memory it is given."""
    given = []
    add_weight = kl.Dense.add_weight

    def added(self, **kwargs):
        given.append(kwargs["initializer"]((2, 1)))
        return add_weight(self, **kwargs)

    monkeypatch.setattr(kl.Dense, "add_weight", added)
    memory, layer = np.ones((2, 2), "float32"), kl.Dense(1, use_bias=False)
    InitialValues(layer, ["kernel"], [memory[:, :1]])
    layer.build((None, 2))
    assert not np.shares_memory(given[0], memory)


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
