"""Subclassed models: traced where that is exact, refused in one line where not."""

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph, trace
from keras_prune.profiling import profile
from keras_prune.surgery import prune
from tests.surgery.invariant import (
    assert_invariant,
    assert_same,
    example,
    half_plan,
    outputs,
    randomise,
)


class Subclassed(keras.Model):
    """Layers by name and a call given from outside; built on the given shapes."""

    def __init__(self, shape, run, **layers):
        super().__init__(name="free")
        self.parts = layers
        self.run = run
        self(keras.tree.map_shape_structure(lambda s: np.zeros((1, *s), "float32"), shape))

    def call(self, inputs, training=None):
        return self.run(inputs, training, **self.parts)

    def get_config(self):
        return {"name": self.name}


def check(model, groups, tmp_path) -> keras.Model:
    graph = ChannelGraph(randomise(model))
    assert {group.name: group.channels for group in graph.groups.values()} == groups
    assert not graph.barriers
    assert all(row.macs is not None for row in graph.summary().groups)
    return assert_invariant(model, half_plan(graph), tmp_path / "pruned.keras")


def chain() -> keras.Model:
    def run(inputs, training, a, norm, b, pool, head):
        return head(pool(b(ops.relu(norm(a(inputs), training=training)))))

    layers = {"a": kl.Conv2D(8, 3, name="a"), "norm": kl.BatchNormalization(name="norm")}
    layers |= {"b": kl.Conv2D(6, 3, name="b"), "pool": kl.GlobalAveragePooling2D()}
    return Subclassed((8, 8, 3), run, **layers, head=kl.Dense(4, name="head"))


def test_a_traced_model_is_pruned_like_any_other(tmp_path):
    pruned = check(chain(), {"a": 8, "b": 6}, tmp_path)
    assert not isinstance(pruned, Subclassed)
    assert [layer.name for layer in pruned.layers if layer.weights] == ["a", "norm", "b", "head"]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="words are TensorFlow's own")
def test_words_are_traced_as_words():
    class Tagged(keras.Model):
        def __init__(self):
            super().__init__(name="tagged")
            words = ["red", "green", "blue"]
            self.split = kl.TextVectorization(vocabulary=words, output_sequence_length=6)
            self.look_up = kl.StringLookup(vocabulary=words, output_mode="one_hot")
            self.embed, self.conv = kl.Embedding(5, 4), kl.Conv1D(8, 3, name="conv")
            self.pool, self.join = kl.GlobalAveragePooling1D(), kl.Concatenate()
            self.head = kl.Dense(2, name="head")

        def call(self, inputs):
            read = self.pool(self.conv(self.embed(self.split(inputs["text"]))))
            return self.head(self.join([read, self.look_up(inputs["tag"]), inputs["size"]]))

    words = ops.convert_to_tensor([["red blue"], ["green none"]], dtype="string")
    given = {"text": words, "tag": words[:, 0], "size": ops.ones((2, 1))}
    model = Tagged()
    expected = model(given)
    graph = ChannelGraph(model)
    assert [tensor.dtype for tensor in graph.trace.flat_inputs] == ["float32", "string", "string"]
    whole = prune(model, half_plan(graph).for_graph(graph, {}))
    assert_same([whole(given)], [expected])


def test_training_reaches_the_layers():
    model = randomise(chain())
    graph = ChannelGraph(model)
    whole = prune(model, half_plan(graph).for_graph(graph, {}))
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype("float32")
    trained = ops.convert_to_numpy(whole(x, training=True))
    assert_same([trained], [ops.convert_to_numpy(model(x, training=True))])
    moved = [ops.convert_to_numpy(weight) for weight in model.non_trainable_weights]
    assert_same([ops.convert_to_numpy(weight) for weight in whole.non_trainable_weights], moved)
    assert np.abs(outputs(whole, x)[0] - trained).max() > 1e-3


def by_batch(inputs, training, a, b, head):
    """The batch size read from the tensor, as code from before Keras 3 does."""
    x = ops.relu(a(inputs))
    x = b(ops.reshape(x, (ops.shape(x)[0], -1, 8)))
    return head(ops.reshape(x, (ops.shape(x)[0], 16 * 6)))


def test_a_batch_size_read_in_the_call_is_not_baked_in():
    layers = {"a": kl.Dense(8, name="a"), "b": kl.Dense(6, name="b"), "head": kl.Dense(4)}
    model = randomise(Subclassed((4, 4, 3), by_batch, **layers))
    traced = trace(model)
    assert all(tensor.shape[0] is None for call in traced.calls for tensor in call.outputs)
    graph = ChannelGraph(model)
    whole = prune(model, half_plan(graph))
    for batch in (2, 3, 5):
        assert outputs(whole, example(model, batch=batch))[0].shape == (batch, 4)


def test_inputs_by_name_and_several_outputs(tmp_path):
    def run(inputs, training, one, two, ends):
        x = ops.concatenate([one(inputs["x"]), two(inputs["y"])], axis=-1)
        return {"sum": ends(x), "both": [ends(ops.relu(x)), two(inputs["y"])]}

    layers = {"one": kl.Dense(6, name="one"), "two": kl.Dense(5, name="two"), "ends": kl.Dense(2)}
    model = randomise(Subclassed({"x": (3,), "y": (7,)}, run, **layers))
    graph = ChannelGraph(model)
    assert set(graph.groups) <= {"one"}
    assert_invariant(model, half_plan(graph), tmp_path / "pruned.keras", bites=bool(graph.groups))


def test_nested_models_stay_nested(tmp_path):
    inner = keras.Sequential([keras.Input((5,)), kl.Dense(8, name="deep"), kl.Dense(6, name="out")])
    layers = {"first": kl.Dense(5, name="first"), "inner": inner, "head": kl.Dense(2)}

    def run(inputs, training, first, inner, head):
        return head(inner(first(inputs)))

    model = Subclassed((3,), run, **layers)
    pruned = check(model, {"first": 5, "deep": 8, "out": 6}, tmp_path)
    assert isinstance(pruned.get_layer(inner.name), keras.Sequential)


def test_a_functional_model_with_a_call_of_its_own(tmp_path):
    class Doubled(keras.Model):
        def call(self, inputs):
            return super().call(inputs) * 2

    i = keras.Input((3,))
    model = randomise(Doubled(i, kl.Dense(2)(kl.Dense(7, name="a")(i))))
    pruned = check(model, {"a": 7}, tmp_path)
    assert not isinstance(pruned, Doubled)


def test_mixed_precision():
    layers = {"a": kl.Dense(8, name="a", dtype="mixed_bfloat16"), "head": kl.Dense(2)}
    model = randomise(Subclassed((3,), lambda x, training, a, head: head(a(x)), **layers))
    pruned = prune(model, half_plan(ChannelGraph(model)))
    assert pruned.get_layer("a").compute_dtype == "bfloat16"


def test_profile_reads_the_traced_calls():
    model = chain()
    assert sum(profile(model).to_frame()["parameters"]) == model.count_params()


class Unbuilt(keras.Model):
    def call(self, x):
        return x


class TwoArguments(keras.Model):
    def call(self, x, y):
        return x + y


class OwnWeight(keras.Model):
    def build(self, shape):
        self.scale = self.add_weight(shape=(3,), name="scale")

    def call(self, x):
        return x * self.scale


def of(call, **layers):
    layers = layers or {"a": kl.Dense(3, name="a")}
    return lambda: Subclassed((3,), call, **layers)


def branch(x, training, a):
    return a(x) if ops.sum(x) > 0 else x


def switch(x, training, a):
    return a(x) * 2 if training else a(x)


def frozen(x, training, a, norm):
    return norm(a(x), training=False)


def chosen(x, training, a, norm):
    return norm(a(x), training=bool(training))


def tied(x, training, a):
    return ops.matmul(a(x), ops.transpose(a.kernel))


def unused():
    other = kl.Dense(2)
    other.build((None, 3))
    return of(lambda x, training, a, other: a(x), a=kl.Dense(3), other=other)()


def as_array(x, training, a):
    return a(np.array(x))


def built(model, *shapes):
    model(*(np.zeros((2, *shape), "float32") for shape in shapes))
    return model


def with_norm(call):
    return lambda: of(call, a=kl.Dense(3), norm=kl.BatchNormalization(name="norm"))()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Unbuilt(name="early"), "'early' of class Unbuilt was not built.*model\\(x\\)"),
        (lambda: built(TwoArguments(), (3,), (3,)), "its call takes more than one argument"),
        (lambda: built(OwnWeight(), (3,)), "no layer that it calls has its weight .*scale"),
        (of(branch), "its call cannot run on symbolic tensors"),
        pytest.param(  # on JAX it does not even build
            of(as_array), "its call fails on symbolic tensors", marks=pytest.mark.tensorflow
        ),
        (of(switch), "it makes other calls in training"),
        (with_norm(frozen), "'norm' is called with training=False at all times"),
        (with_norm(chosen), "'norm' is called with training=False at all times"),
        (of(tied), "the calls found compute something else"),
        (unused, "no layer that it calls has its weight"),
    ],
)
def test_what_cannot_be_traced_is_refused_in_one_line(make, message):
    model = make()
    with pytest.raises(ModelError, match=message) as caught:
        ChannelGraph(model)
    assert "\n" not in str(caught.value)


def test_ops_have_the_same_names_at_every_trace():
    def run(inputs, training, a, head):
        return head(ops.relu(ops.mean(ops.relu(a(inputs)), axis=(1, 2))))

    model = Subclassed((8, 8, 3), run, a=kl.Conv2D(8, 3, name="a"), head=kl.Dense(4, name="head"))
    names = [call.name for call in trace(model).calls]
    assert names == ["a", "relu", "mean", "relu_1", "head"]
    pruned = prune(model, half_plan(ChannelGraph(model)))
    assert [call.name for call in trace(pruned).calls] == names


class Noisy(kl.Layer):
    """Draws random numbers at every call."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seeds = keras.random.SeedGenerator(1)

    def call(self, x):
        return x + keras.random.normal(ops.shape(x), seed=self.seeds)


@pytest.mark.parametrize(
    "front",
    [
        kl.RandomFlip,
        pytest.param(  # on JAX Keras cannot run it on symbolic tensors
            lambda: kl.RandomCrop(7, 7), marks=pytest.mark.tensorflow
        ),
        Noisy,
    ],
)
def test_augmentation_inside_runs_as_in_inference(front, tmp_path):
    def run(x, training, front, conv, drop, head):
        return head(drop(ops.mean(conv(front(x)), axis=(1, 2))))

    layers = {"front": front(), "conv": kl.Conv2D(8, 3, name="conv"), "drop": kl.Dropout(0.5)}
    model = randomise(Subclassed((8, 8, 3), run, **layers, head=kl.Dense(3)))
    graph = ChannelGraph(model)
    assert set(graph.groups) == {"conv"}
    whole = prune(model, half_plan(graph).for_graph(graph, {}))
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype("float32")
    if front is not Noisy:
        given = ops.convert_to_numpy(model(x, training=False))
        assert_same([ops.convert_to_numpy(whole(x, training=False))], [given])
        assert np.abs(ops.convert_to_numpy(whole(x, training=True)) - given).max() > 1e-3
        assert_invariant(model, half_plan(graph), tmp_path / "pruned.keras")


def test_an_input_whose_shape_a_failed_call_left_unknown_is_refused():
    model = chain()
    for shapes in (None, {"x": None}, [(None, 3), None]):
        model._build_shapes_dict = {"inputs": shapes}
        with pytest.raises(ModelError, match="its input shape is unknown"):
            trace(model)
