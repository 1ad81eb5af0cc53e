"""Whole channels shrink, by the graph, and as much as is said."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.callbacks import GroupLasso, GrowingRegularization, ScaleSparsity
from keras_prune.errors import ConfigError, ModelError, PlanError
from keras_prune.graph import ChannelGraph
from keras_prune.graph.slices import channel_slices
from keras_prune.plan import PruningPlan
from keras_prune.training import SparseTrainingConfig
from keras_prune.training.sparsity import regularizer
from tests.networks import conv, head, image
from tests.surgery.invariant import randomise

X = np.random.default_rng(0).normal(size=(12, 6, 6, 3)).astype("float32")
Y = np.zeros((12, 1), "int32")


def network(norm=True):
    """Groups `stem` (joined with `out`) and `inner`."""
    x = conv(4, "stem")(i := image())
    y = conv(6, "inner")(x)
    y = kl.BatchNormalization(name="norm")(y) if norm else y
    x = kl.Add()([x, conv(4, "out")(kl.ReLU()(y))])
    return randomise(keras.Model(i, head(x)))


def pressed(callback, steps=1, rate=0.1, model=None):
    """What `steps` do to the channels' norms when the loss is zero, `(before, after)` by group."""
    model = model or network()
    graph = ChannelGraph(model)
    before = norms(graph)
    # Without a gradient, the statistics of the norm alone move.
    model.compile(keras.optimizers.SGD(rate), lambda y, outputs: 0 * keras.ops.sum(outputs, -1))
    data = np.tile(X, (steps, 1, 1, 1)), np.tile(Y, (steps, 1))
    model.fit(*data, batch_size=len(X), verbose=0, callbacks=[callback])
    return before, norms(graph)


def norms(graph):
    def norm(group):
        own = [m for m in group.members if "moving" not in m.binding.variable.name]
        return np.sqrt(sum((channel_slices(group, m) ** 2).sum(axis=1) for m in own))

    return {name: norm(group) for name, group in graph.groups.items()}


def test_growing_presses_all_channels_of_a_group_alike():
    callback = GrowingRegularization(strength=0.3, growth=0.2, every=1)
    before, after = pressed(callback, steps=3)
    # A weight between two groups shrinks with both: so alone is what only one of them has.
    assert all((after[name] < before[name]).all() for name in before)


def test_a_group_shrinks_by_one_factor_and_by_the_graph():
    i = image()
    x = kl.Conv2D(5, 3, name="a")(i)
    x = kl.BatchNormalization(name="norm")(x)
    model = randomise(keras.Model(i, head(x)))
    kernel, dense = (np.array(model.get_layer(n).kernel) for n in ("a", "head"))
    gamma, beta = np.array(model.get_layer("norm").gamma), np.array(model.get_layer("norm").beta)
    before, after = pressed(GroupLasso(0.5, alpha=2), model=model)
    size = before["a"]
    factor = 1 - 0.1 * 0.5 * 2 ** (2 * (size.max() - size) / (size.max() - size.min()))
    np.testing.assert_allclose(after["a"], size * factor, rtol=1e-5)
    np.testing.assert_allclose(model.get_layer("a").kernel, kernel * factor, rtol=1e-5)
    np.testing.assert_allclose(model.get_layer("head").kernel, dense * factor[:, None], rtol=1e-5)
    np.testing.assert_allclose(model.get_layer("norm").gamma, gamma * factor, rtol=1e-5)
    np.testing.assert_allclose(model.get_layer("norm").beta, beta * factor, rtol=1e-5)


def test_scales_alone_are_pressed_and_never_beyond_zero():
    model = network()
    layer, kernel = model.get_layer("norm"), np.array(model.get_layer("inner").kernel)
    layer.gamma.assign([0.5, -0.5, 0.01, -0.01, 2, 0])
    pressed(ScaleSparsity(0.2), model=model)
    np.testing.assert_allclose(layer.gamma, [0.48, -0.48, 0, 0, 1.98, 0], atol=1e-6)
    np.testing.assert_array_equal(model.get_layer("inner").kernel, kernel)


def test_a_plan_says_which_channels_the_growing_penalty_is_for():
    model = network()
    plan = PruningPlan.for_graph(ChannelGraph(model), {"inner": (0, 2, 5)})
    before, after = pressed(
        GrowingRegularization(10.0, growth=10.0, every=1, plan=plan), model=model, steps=2
    )
    np.testing.assert_allclose(after["inner"][[1, 3, 4]], 0, atol=1e-6)
    np.testing.assert_allclose(after["inner"][[0, 2, 5]], before["inner"][[0, 2, 5]], rtol=1e-5)


def test_frozen_layers_stay_as_they_are():
    model = network()
    model.get_layer("inner").trainable = False
    kernel = np.array(model.get_layer("inner").kernel)
    before, after = pressed(GroupLasso(1.0), model=model)
    np.testing.assert_array_equal(model.get_layer("inner").kernel, kernel)
    assert (after["stem"] < before["stem"]).any()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: GroupLasso(0), ConfigError, "strength to be above 0"),
        (lambda: GrowingRegularization(growth=0), ConfigError, "growth=0"),
        (lambda: SparseTrainingConfig(strength=-1), ConfigError, "strength to be above 0"),
        (lambda: SparseTrainingConfig(epochs=0), ConfigError, "epochs"),
        (
            lambda: pressed(ScaleSparsity(), model=network(norm=False)),
            ModelError,
            "no BatchNormalization with a scale",
        ),
        (
            lambda: pressed(GrowingRegularization(plan=PruningPlan({}, "other", {}))),
            PlanError,
            "another model",
        ),
    ],
)
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("group_lasso", GroupLasso),
        ("bn_scale", ScaleSparsity),
        ("growing", GrowingRegularization),
    ],
)
def test_a_configuration_names_each(kind, made):
    assert type(regularizer(SparseTrainingConfig(kind=kind), steps=10)) is made


@pytest.mark.parametrize("schedule", [pytest.param("constant", marks=pytest.mark.slow), "cosine"])
@pytest.mark.parametrize("kind", ["group_lasso", "growing"])
def test_the_whole_training_comes_to_its_strength(kind, schedule):
    i = image()
    model = randomise(keras.Model(i, head(conv(5, "a")(i))))
    config = SparseTrainingConfig(
        kind=kind, strength=0.5, epochs=200, learning_rate=0.02, schedule=schedule
    )
    rate = 0.02
    if schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(0.02, 200)
    before, after = pressed(regularizer(config, 200), steps=200, rate=rate, model=model)
    left = after["a"] / before["a"]
    assert left.max() == pytest.approx(np.exp(-0.5), rel=0.1 if kind == "group_lasso" else 0.35)
    if kind == "group_lasso":
        assert left.min() < 0.05


def test_each_of_several_scales_falls_by_the_same():
    x = conv(4, "a")(i := image())
    y = kl.BatchNormalization(name="one")(x)
    z = kl.BatchNormalization(name="two")(conv(4, "b")(kl.ReLU()(y)))
    model = randomise(keras.Model(i, head(kl.Add()([y, z]))))
    for name in ("one", "two"):
        model.get_layer(name).gamma.assign(np.ones(4))
    pressed(ScaleSparsity(0.2), model=model)
    for name in ("one", "two"):
        np.testing.assert_allclose(model.get_layer(name).gamma, 0.98, rtol=1e-6)


def test_growing_begins_where_the_training_does():
    model = network()
    callback = GrowingRegularization(10.0, growth=10.0, every=1)
    pressed(callback, model=model)
    optimizer, before = model.optimizer, norms(ChannelGraph(model))
    optimizer.iterations.assign(1000)
    late = GrowingRegularization(10.0, growth=1e-3, every=1)
    model.fit(X, Y, batch_size=len(X), verbose=0, callbacks=[late])
    after = norms(ChannelGraph(model))
    np.testing.assert_allclose(after["inner"], before["inner"], rtol=1e-3)


def test_every_step_is_wanted():
    model = network()
    model.compile("sgd", "sparse_categorical_crossentropy", steps_per_execution=2)
    with pytest.raises(ConfigError, match="expected steps_per_execution=1. Received: 2"):
        model.fit(X, Y, batch_size=4, verbose=0, callbacks=[GroupLasso()])
