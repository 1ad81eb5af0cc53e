"""Composite layers: opened where that is exact, barriers with a reason where not."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from keras_prune.graph import ChannelGraph, Rule, register, trace
from keras_prune.graph.rules import base
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from tests.networks import behind, conv, head, image
from tests.surgery.invariant import (
    assert_invariant,
    assert_same,
    example,
    half_plan,
    outputs,
    randomise,
)


class Block(kl.Layer):
    """A convolution, a norm and an activation, as users write them."""

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.conv = conv(filters, "conv")
        self.norm = kl.BatchNormalization(name="norm")

    def call(self, x, training=False):
        return ops.relu(self.norm(self.conv(x), training=training))


class Residual(kl.Layer):
    """Blocks in a layer, with a skip connection."""

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second = Block(2 * filters, name="first"), Block(filters, name="second")

    def call(self, x):
        return x + self.second(self.first(x))


class Squash(kl.Layer):
    """No weights, one op of each kind."""

    def call(self, x):
        return ops.tanh(x) * 0.5


class Louder(kl.Conv2D):
    """A subclass of Keras' layer that calls another layer instead of its own kernel."""

    def build(self, shape):
        self.inner = kl.Dense(5, name="inner")
        self.inner.build(shape)

    def call(self, x):
        return self.inner(x)


class Twice(kl.Layer):
    """One inner layer called twice, tensors in lists, an input passed through."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = kl.Dense(8, name="inner")

    def call(self, xs):
        return [self.inner(self.inner(xs[0])), xs[1]]


def blocks():
    i = image()
    return keras.Model(i, head(Block(6, name="two")(Block(8, name="one")(i))))


def residual():
    i = image()
    x = Residual(8, name="body")(conv(8, "stem")(i))
    return keras.Model(i, head(x))


def sequential():
    return keras.Sequential([image(), Block(8, name="one"), kl.GlobalMaxPooling2D(), kl.Dense(2)])


def nested():
    i = image()
    inner = keras.Input((6, 6, 8))
    y = Block(6, name="inside")(inner)
    block = keras.Model(inner, kl.Conv2D(8, 1, name="back")(y), name="block")
    return keras.Model(i, head(block(block(conv(8, "a")(i)))))


def shared():
    i = image()
    block = Block(3, name="one")
    return keras.Model(i, head(conv(4, "c")(block(block(i)))))


def lists():
    i = image()
    x, y = Twice(name="twice")([conv(8, "a")(i), conv(6, "b")(i)])
    return keras.Model(i, [head(x), kl.Dense(2)(kl.GlobalMaxPooling2D()(y))])


def open_length():
    i = keras.Input((None, None, 3))
    return keras.Model(i, head(Block(8, name="one")(conv(5, "a")(i))))


def functional_inside():
    class Model(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = kl.Dense(7, name="inner")

        def call(self, x):
            return self.inner(x)

    return behind(Model(name="model"))


OPENED = [
    (blocks, {"one_conv": 8, "two_conv": 6}),
    (residual, {"stem": 8, "body_first_conv": 16}),
    (sequential, {"conv": 8}),
    (nested, {"a": 8, "conv": 6}),
    (shared, {"c": 4}),
    (lists, {"a": 8, "b": 6}),
    (open_length, {"a": 5, "conv": 8}),
    (functional_inside, {"a": 8, "inner": 7, "b": 6}),
    (lambda: behind(Squash()), {"a": 8, "b": 6}),
    (lambda: behind(Louder(5, 1)), {"a": 8, "inner": 5, "b": 6}),
]


@pytest.mark.parametrize(("make", "groups"), OPENED)
def test_composite_layers_are_opened(make, groups, tmp_path):
    graph = ChannelGraph(randomise(make()))
    assert not graph.barriers and not graph.trace.closed
    assert {group.name: group.channels for group in graph.groups.values()} == groups
    pruned = assert_invariant(graph.model, half_plan(graph), tmp_path / "pruned.keras")
    names = [layer.name for layer in pruned.layers]
    assert len(names) == len(set(names))


@pytest.mark.slow
def test_the_rebuilt_model_loads_without_the_classes(tmp_path):
    model = randomise(residual())
    pruned = prune(model, half_plan(ChannelGraph(model)))
    pruned.save(tmp_path / "pruned.keras")
    x = example(model)
    np.save(tmp_path / "x.npy", x)
    code = (
        "import sys, keras, numpy as np; folder = sys.argv[1];"
        "model = keras.models.load_model(folder + '/pruned.keras');"
        "np.save(folder + '/y.npy', model.predict(np.load(folder + '/x.npy'), verbose=0))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True)
    assert_same([np.load(tmp_path / "y.npy")], outputs(pruned, x))


def test_plans_compose_on_opened_layers():
    model = randomise(blocks())
    first = PruningPlan.for_graph(ChannelGraph(model), {"one_conv": (0, 2, 5, 7)})
    once = prune(model, first)
    later = PruningPlan.for_graph(ChannelGraph(once), {"one_conv": (1, 3), "two_conv": (4,)})
    x = example(model)
    assert_same(outputs(prune(once, later), x), outputs(prune(model, first.then(later)), x))


def test_training_reaches_the_opened_layers():
    model = randomise(blocks())
    whole = prune(model, PruningPlan.for_graph(ChannelGraph(model), {}))
    x = np.random.default_rng(0).normal(size=(4, 6, 6, 3)).astype("float32")
    trained = [ops.convert_to_numpy(traced(x, training=True)) for traced in (whole, model)]
    assert_same(trained[:1], trained[1:])


def test_frozen_layers_stay_frozen():
    model = blocks()
    model.get_layer("one").trainable = False
    pruned = prune(model, half_plan(ChannelGraph(model)))
    assert not pruned.get_layer("one_conv").trainable and pruned.get_layer("two_conv").trainable


def test_a_rule_of_its_own_comes_before_opening():
    class Own(Squash):
        pass

    class OwnRule(Rule):
        def label(self, call, walk):
            return [walk.of(call.inputs[0])]

    register(Own)(OwnRule)
    try:
        model = behind(Own(name="own"))
        assert "own" in [call.name for call in trace(model).calls]
        assert set(ChannelGraph(model).groups) == {"a", "b"}
    finally:
        base._LAYERS.pop(Own)


class Counting(kl.Layer):
    def build(self, shape):
        self.count = self.add_weight(shape=(), name="count", trainable=False)

    def call(self, x):
        self.count.assign_add(1.0)
        return ops.relu(x)


class Switching(kl.Layer):
    def call(self, x, training=None):
        return ops.relu(x) if training else x


class Branching(kl.Layer):
    def call(self, x):
        return x if ops.sum(x) > 0 else -x

    def compute_output_shape(self, shape):
        return shape


class Losing(kl.Layer):
    def call(self, x):
        self.add_loss(ops.mean(x))
        return x


class Regularised(kl.Layer):
    def call(self, x):
        return x * 2


class Baked(kl.Layer):
    """Uses a weight's value ahead of the calls, beside the layer that owns it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = kl.Dense(8)

    def build(self, shape):
        self.inner.build(shape)

    def call(self, x):
        return self.inner(x) + ops.mean(self.inner.kernel)


class Noisy(kl.Layer):
    def call(self, x):
        return x + keras.random.normal((8,))


CLOSED = [
    (Counting, "its call fails on symbolic tensors"),
    (Branching, "its call fails on symbolic tensors"),
    (Losing, "its call fails on symbolic tensors"),
    (lambda **o: Regularised(activity_regularizer="l2", **o), "it has an activity regularizer"),
    (Baked, "the calls found compute something else"),
    pytest.param(  # on JAX Keras refuses it
        Noisy, "the calls found compute something else", marks=pytest.mark.tensorflow
    ),
]


@pytest.mark.parametrize(("make", "reason"), CLOSED)
def test_what_is_not_exact_stays_closed(make, reason):
    graph = ChannelGraph(randomise(behind(make(name="x"))))
    assert list(graph.groups) == ["b"]
    (pin,) = graph.barriers
    assert pin.name == "x" and reason in pin.reason
    pruned = prune(graph.model, half_plan(graph))
    assert type(pruned.get_layer("x")) is type(graph.model.get_layer("x"))


def test_what_does_something_else_in_training_is_followed_and_kept(tmp_path):
    graph = ChannelGraph(randomise(behind(Switching(name="x"))))
    assert list(graph.groups) == ["a", "b"] and not graph.barriers
    pruned = assert_invariant(graph.model, half_plan(graph))
    assert type(pruned.get_layer("x")) is Switching


class Widened(kl.Layer):
    """In training it knows how many channels there are."""

    def call(self, x, training=None):
        return x * ops.ones((8,)) if training else x


def test_what_fails_in_training_for_fewer_channels_stays():
    graph = ChannelGraph(randomise(behind(Widened(name="x"))))
    assert list(graph.groups) == ["b"]
    (pin,) = graph.barriers
    assert "in training it fails so" in pin.reason


def test_layers_that_carry_masks_stay_closed():
    i = keras.Input((6,), dtype="int32")
    x = kl.Embedding(5, 7, mask_zero=True)(i)
    squash = Squash(name="x")
    squash.supports_masking = True
    traced = trace(keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(squash(x)))))
    assert traced.closed == {squash: "it takes or makes masks"}


def test_a_layer_that_declares_another_shape_stays_closed():
    class Lying(kl.Layer):
        def call(self, x):
            return x[:, :2]

        def compute_output_shape(self, shape):
            return shape

    i = image()
    lying = Lying()
    traced = trace(keras.Model(i, lying(i)))
    assert traced.closed == {lying: "it does not return the shapes it declares"}


def test_a_layer_is_opened_at_all_its_calls_or_none():
    """The branching one cannot be opened, and it holds a block that could be."""

    class Outer(kl.Layer):
        def __init__(self, block, **kwargs):
            super().__init__(**kwargs)
            self.block = block

        def call(self, x):
            return self.block(x) if ops.sum(x) > 0 else self.block(-x)

        def compute_output_shape(self, shape):
            return shape

    i = image(8)
    block = Block(8, name="one")
    x = Outer(block, name="outer")(block(conv(8, "a")(i)))
    graph = ChannelGraph(keras.Model(i, head(conv(5, "c")(x))))
    assert set(graph.groups) == {"c"}
    assert ("outer", "it holds 'conv', too") in [(pin.name, pin.reason) for pin in graph.pins]
