"""Layers that lose nothing are copied, whatever their config says."""

import threading

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from keras_prune.surgery.silencing import silence
from tests.networks import behind, conv, head, image
from tests.networks.own_weights import ScaleAndShift
from tests.surgery.invariant import assert_same, example, half_plan, outputs, randomise


class Forgets(kl.Layer):
    """Its config says nothing of what its arguments were."""

    def __init__(self, units=8, rows=1, **options):
        super().__init__(**options)
        self.rows = rows
        self.dense = kl.Dense(units)
        self.scale = self.add_weight((1,), initializer="ones")

    def call(self, x):
        return ops.repeat(self.dense(x) * ops.abs(self.scale), self.rows, axis=1)

    def get_config(self):
        return {"name": self.name}


class Refuses(kl.Layer):
    """It cannot be made from its config at all."""

    def __init__(self, needed, **options):
        super().__init__(**options)
        self.scale = self.add_weight((1,), initializer="ones")

    def call(self, x):
        return x * ops.abs(self.scale)

    def get_config(self):
        raise NotImplementedError("it has none")


class Holds(kl.Layer):
    """Layers, weights and other things in lists, dicts and objects."""

    def __init__(self, needed, **options):
        super().__init__(**options)
        self.layers_by_name = {"a": [kl.Dense(8, activation="tanh"), Refuses(1)]}
        self.also = self.layers_by_name["a"][0]
        self.lock = threading.Lock()
        self.table = np.arange(8, dtype="float32")
        self.drop = kl.Dropout(0.5)
        self.words = kl.StringLookup(vocabulary=["a", "b"])
        self.step = self.add_weight((), initializer="zeros", trainable=False, name="step")

    def build(self, shape):
        self.gains = [self.add_weight((8,), name=f"gain_{i}") for i in range(2)]

    def call(self, x, training=False):
        dense, refuses = self.layers_by_name["a"]
        if training:
            self.step.assign_add(1.0)
        x = self.drop(refuses(self.also(dense(x))) + self.table, training=training)
        return x * ops.abs(self.gains[0]) + self.gains[1]


class Around(kl.Layer):
    """A model inside whose calls are known, beside a layer of it."""

    def __init__(self, needed, **options):
        super().__init__(**options)
        i = keras.Input((None, None, 8))
        self.norm = kl.BatchNormalization()
        self.inner = keras.Model(i, self.norm(kl.Dense(8)(i)))
        self.scale = self.add_weight((1,), initializer="ones")

    def call(self, x):
        return self.norm(self.inner(x)) * ops.abs(self.scale)


class Recalls(kl.Layer):
    """A function of its own holds on to the layer that made it."""

    def __init__(self, needed, **options):
        super().__init__(**options)
        dense = self.dense = kl.Dense(8)
        self.scale = self.add_weight((1,), initializer="ones")
        self.run = lambda x: dense(x) * ops.abs(self.scale)

    def build(self, shape):
        self.dense.build(shape)

    def call(self, x):
        return self.run(x)


class RecallsAndForgets(Recalls):
    """And no config tells how to make it anew."""

    def get_config(self):
        return {"name": self.name}


class Recurrence(kl.Layer):
    """A cell of the user's."""

    def __init__(self, needed, **options):
        super().__init__(**options)
        self.state_size = 8

    def build(self, shape):
        self.kernel = self.add_weight((shape[-1], 8), name="kernel")

    def call(self, x, states):
        out = ops.tanh(ops.matmul(x, self.kernel) + states[0])
        return out, [out]


COPIED = {
    "config that forgets": lambda: Forgets(8, 2),
    "config that refuses": lambda: Refuses(3),
    "other dtypes": lambda: Refuses(3, dtype="float64"),
    "containers": lambda: Holds(3),
    "model inside": lambda: Around(3),
}


def assert_copied(model):
    """Pruned is silenced, and the original is untouched. Its config may be impossible to have."""
    x, plan = example(model), half_plan(ChannelGraph(model))
    before, weights = outputs(model, x), model.get_weights()
    pruned = prune(model, plan)
    assert_same(outputs(pruned, x), outputs(silence(model, plan), x))
    assert_same(outputs(model, x), before)
    assert pruned.count_params() < model.count_params()
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    return pruned


@pytest.mark.parametrize("name", COPIED)
def test_what_loses_nothing_is_copied(name):
    layer = COPIED[name]()
    model = randomise(behind(layer))
    pruned = assert_copied(model)
    copy = pruned.get_layer(layer.name)
    assert type(copy) is type(layer) and copy is not layer
    assert [w.path for w in copy.weights] == [w.path for w in layer.weights]
    assert not {id(v) for v in copy.variables} & {id(v) for v in layer.variables}
    for group in ("trainable_weights", "non_trainable_weights", "losses"):
        assert len(getattr(copy, group)) == len(getattr(layer, group))


def behind_two(layer):
    i = image()
    return keras.Model(i, head(layer(layer(conv(8, "b")(conv(6, "a")(i))))))


def test_a_layer_called_twice_stays_one():
    model = randomise(behind_two(Refuses(3, name="twice")))
    pruned = prune(model, half_plan(ChannelGraph(model)))
    assert len(pruned.get_layer("twice")._inbound_nodes) == 2
    assert len([w for w in pruned.weights if "twice" in w.path]) == 1


def test_a_copy_trains_and_the_original_does_not():
    model = randomise(behind(Holds(3, name="holds")))
    x = np.random.default_rng(0).normal(size=(4, 6, 6, 3)).astype("float32")
    before = outputs(model, x)
    pruned = prune(model, half_plan(ChannelGraph(model)))
    pruned.compile("sgd", "mse")
    pruned.fit(x, np.zeros((4, *pruned.output_shape[1:]), "float32"), epochs=2, verbose=0)
    copy, layer = pruned.get_layer("holds"), model.get_layer("holds")
    assert float(copy.step.numpy()) == pytest.approx(float(layer.step.numpy()) + 2)
    assert not any(np.array_equal(a, b) for a, b in zip(*map(values, (copy, layer)), strict=True))
    assert_same(outputs(model, x), before)


def test_a_copy_is_cut_later():
    i = image()
    x = ScaleAndShift(name="own")(conv(8, "b")(conv(6, "a")(i)))
    model = randomise(keras.Model(i, head(x)))
    graph = ChannelGraph(model)
    once = prune(model, PruningPlan.for_graph(graph, {"a": (0, 2)}))  # b stays whole, own is copied
    twice = assert_copied(once)
    assert twice.get_layer("own").weights[0].shape[0] < 8


def values(layer):
    return [weight.numpy() for weight in layer.trainable_weights]


@pytest.mark.tensorflow
def test_a_cell_of_the_users_in_a_recurrent_layer_of_keras():
    i = keras.Input((5, 8))
    x = kl.RNN(Recurrence(3), name="rnn")(kl.Dense(8, name="b")(kl.Dense(6, name="a")(i)))
    model = randomise(keras.Model(i, kl.Dense(2)(x)))
    assert_copied(model)


def test_what_cannot_be_copied_is_made_from_its_config():
    assert_copied(randomise(behind(Recalls(3))))


def test_what_can_be_neither_is_refused_in_one_line():
    model = randomise(behind(RecallsAndForgets(3, name="recalls")))
    with pytest.raises(ModelError, match="'recalls' cannot be copied.*cannot be rebuilt") as caught:
        prune(model, half_plan(ChannelGraph(model)))
    assert "\n" not in str(caught.value)
