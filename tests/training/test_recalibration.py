"""Statistics of BatchNormalization, against numpy."""

import keras
import numpy as np
import pytest

from keras_prune import Budget, Task, data, methods, prune, recalibrate
from keras_prune.errors import ConfigError, DataError, ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.training import TrainingConfig, fit

layers = keras.layers
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(3, 2, (40, 5)).astype("float32")
BRIEF = TrainingConfig(epochs=1, learning_rate=0.01)


def two_norms():
    keras.utils.set_random_seed(0)
    return keras.Sequential([
        keras.Input((5,)),
        layers.Dense(6, name="one"), layers.BatchNormalization(name="first"), layers.ReLU(),
        layers.Dropout(0.5),
        layers.Dense(4, name="two"), layers.BatchNormalization(name="second"),
    ])  # fmt: skip


def expected(model, x, batch):
    """Means and variances of both norms, each normalising by its batch."""
    first = model.get_layer("first")
    one, two = (np.asarray(model.get_layer(name).kernel) for name in ("one", "two"))
    before = x @ one
    seen = []
    for start in range(0, len(x), batch):
        part = before[start : start + batch]
        normed = (part - part.mean(0)) / np.sqrt(part.var(0) + first.epsilon)
        seen.append(np.maximum(normed, 0) @ two)
    after = np.concatenate(seen)
    return [before.mean(0), before.var(0), after.mean(0), after.var(0)]


def statistics(model):
    return [
        np.asarray(value)
        for name in ("first", "second")
        for layer in model._flatten_layers()
        if layer.name == name
        for value in (layer.moving_mean, layer.moving_variance)
    ]


@pytest.mark.parametrize("batch", [40, 10])
def test_statistics_are_exact_averages_and_nothing_else_changes(batch):
    model = two_norms()
    others = [np.asarray(variable) for variable in model.trainable_variables]
    done = recalibrate(model, X, batch_size=batch)
    assert (done.layers, done.frozen, done.examples) == (("first", "second"), (), 40)
    for found, wanted in zip(statistics(model), expected(model, X, batch), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    for found, wanted in zip(model.trainable_variables, others, strict=True):
        np.testing.assert_array_equal(found, wanted)
    again = model(X)  # the layers are their own again
    np.testing.assert_array_equal(again, model(X, training=False))


@pytest.mark.slow
def test_every_form_of_data_is_the_same():
    import tensorflow as tf

    class Sequence(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, number):
            return X[10 * number : 10 * number + 10], np.zeros(10)

    def endless():
        while True:
            yield from np.split(X, 4)

    forms = [
        X, (X, np.zeros(40)), Sequence(), tf.data.Dataset.from_tensor_slices(X).batch(10),
        Task((X, np.zeros((40, 4))), loss="mse"),
    ]  # fmt: skip
    found = []
    for form in forms:
        model = two_norms()
        assert recalibrate(model, form, batch_size=10).examples == 40
        found.append(statistics(model))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)
    batches = tf.data.Dataset.from_tensor_slices(X).batch(10).repeat()
    for form in (X, batches, endless()):
        assert recalibrate(two_norms(), form, batches=2, batch_size=10).examples == 20
    assert recalibrate(two_norms(), endless()).examples == 1000


def two_inputs(named):
    row, grey = keras.Input((5,), name="row"), keras.Input((4, 4, 1), name="grey")
    flat = layers.Flatten()(layers.BatchNormalization(name="first")(grey))
    x = layers.Dense(6)(layers.Concatenate()([row, flat]))
    x = layers.ReLU()(layers.BatchNormalization(name="second")(x))
    inputs = {"row": row, "grey": grey} if named else [row, grey]
    return keras.Model(inputs, layers.Dense(1)(x))


@pytest.mark.parametrize(("named", "given"), [(True, dict), (False, dict), (False, tuple)])
def test_inputs_in_any_structure_and_without_a_last_axis_of_one(named, given):
    grey = RANDOM.normal(1, 2, (40, 4, 4)).astype("float32")
    inputs, labels = {"row": X, "grey": grey}, np.zeros((40, 1), "float32")
    inputs = inputs if given is dict else tuple(inputs.values())
    model = two_inputs(named)
    recalibrate(model, (inputs, labels))
    np.testing.assert_allclose(statistics(model)[0], grey.mean().reshape(1), rtol=1e-4)
    assert recalibrate(model, Task((inputs, labels), loss="mse")).examples == 40


class Wrapped(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = two_norms()

    def call(self, x):
        return self.inner(x)


def nested():
    inputs = keras.Input((5,))
    return keras.Model(inputs, two_norms()(inputs))


def subclassed():
    model = Wrapped()
    model(X)
    return model


@pytest.mark.parametrize("make", [nested, subclassed])
def test_models_are_looked_into(make):
    model, plain = make(), two_norms()
    recalibrate(model, X)
    recalibrate(plain, X)
    for a, b in zip(statistics(model), statistics(plain), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_a_norm_that_is_called_often_sees_all_of_it():
    norm = layers.BatchNormalization(name="first")
    inputs = keras.Input((3, 5))
    model = keras.Model(inputs, layers.TimeDistributed(norm)(inputs))
    x = RANDOM.normal(1, 2, (20, 3, 5)).astype("float32")
    recalibrate(model, x)
    np.testing.assert_allclose(norm.moving_mean, x.mean((0, 1)), rtol=1e-4)
    np.testing.assert_allclose(norm.moving_variance, x.var((0, 1)), rtol=1e-4)


class Own(layers.BatchNormalization):
    def call(self, inputs, training=None):
        return super().call(2 * inputs, training=training)


def test_renorm_and_layers_of_ones_own():
    model = keras.Sequential([
        keras.Input((5,)), layers.BatchNormalization(renorm=True, name="first"), Own(name="second"),
    ])  # fmt: skip
    model(X, training=True)
    recalibrate(model, X)
    first = model.get_layer("first")
    for mean in (first.moving_mean, first.renorm_mean):
        np.testing.assert_allclose(mean, X.mean(0), rtol=1e-4)
    for deviation in (first.moving_stddev, first.renorm_stddev):
        np.testing.assert_allclose(deviation, np.sqrt(X.var(0) + first.epsilon), rtol=1e-4)
    np.testing.assert_allclose(model.get_layer("second").moving_variance, 4, rtol=1e-2)
    assert (first.renorm, first.momentum, "call" in vars(first)) == (True, 0.99, False)


def test_large_means_cost_no_digits():
    inputs = keras.Input((5,))
    norm = layers.BatchNormalization(name="first")
    recalibrate(keras.Model(inputs, norm(inputs)), X + 1000, batch_size=8)
    np.testing.assert_allclose(norm.moving_variance, (X + 1000).var(0), rtol=1e-4)


def test_statistics_are_float32_where_numbers_are_half():
    inputs = keras.Input((5,), dtype="float32")
    norm = layers.BatchNormalization(name="first", dtype="mixed_bfloat16")
    model = keras.Model(inputs, norm(inputs))
    recalibrate(model, X)
    np.testing.assert_allclose(norm.moving_variance, X.var(0), rtol=0.02)
    assert norm.moving_mean.dtype == "float32"


def masked():
    inputs = keras.Input((None, 2))
    return keras.Model(inputs, layers.BatchNormalization(name="first")(layers.Masking()(inputs)))


def test_masked_steps_do_not_count():
    model = masked()
    norm = model.get_layer("first")
    x = RANDOM.normal(1, 2, (20, 4, 2)).astype("float32")
    x[:, 2:] = 0
    recalibrate(model, x)
    np.testing.assert_allclose(norm.moving_mean, x[:, :2].mean((0, 1)), rtol=1e-4)
    np.testing.assert_allclose(norm.moving_variance, x[:, :2].var((0, 1)), rtol=1e-4)


def test_frozen_layers_are_left_alone_and_named():
    model = two_norms()
    model.get_layer("first").trainable = False
    before = statistics(model)
    done = recalibrate(model, X)
    assert (done.layers, done.frozen) == (("second",), ("first",))
    assert "left alone, for they are frozen: first" in str(done)
    np.testing.assert_array_equal(statistics(model)[0], before[0])
    assert not np.allclose(statistics(model)[2], before[2])


def test_an_error_on_the_way_leaves_the_model_as_it_was():
    model = two_norms()
    before = statistics(model)

    def some():
        yield X
        yield X[:, :3]

    with pytest.raises(DataError, match="in batch 2"):
        recalibrate(model, some())
    for a, b in zip(statistics(model), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert "call" not in vars(model.get_layer("first"))


@pytest.mark.parametrize(
    ("make", "given", "kind", "message"),
    [
        (
            lambda: keras.Sequential([keras.Input((5,)), layers.Dense(2)]),
            X,
            ModelError,
            "it has none",
        ),
        (two_norms, X[:1], DataError, "at least two examples"),
        (two_norms, X[:, :3], DataError, r"inputs of shape \(None, 5\). Received: \(40, 3\)"),
        (two_norms, X[:0], DataError, "empty"),
        (masked, np.zeros((4, 3, 2), "float32"), DataError, "'first' got fewer than two values"),
        (two_norms, X * np.float32("nan"), DataError, "NaN or infinite"),
    ],
)
def test_what_cannot_be_is_one_line(make, given, kind, message):
    with pytest.raises(kind, match=message) as caught:
        recalibrate(make(), given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wrong", [{"batches": 0}, {"batch_size": 1}])
def test_counts_that_cannot_be(wrong):
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))} must be at least"):
        recalibrate(two_norms(), X, **wrong)


@pytest.mark.slow
def test_a_run_names_the_norms_that_are_frozen():
    model = two_inputs(named=False)
    model.get_layer("first").trainable = False
    inputs, labels = (X, RANDOM.normal(1, 2, (40, 4, 4))), np.zeros((40, 1))
    task = Task((inputs, labels), validation=(inputs, labels), loss="mse", metrics=["mae"])
    method = methods.get("ranking", ratio=0.5, criterion="l1", finetune=BRIEF)
    notes = " ".join(method.run(model, task, seed=0).report.notes)
    assert "estimated anew, on up to 1,000" in notes
    assert "frozen were left alone: first." in notes


@pytest.mark.slow
def test_after_a_cut_it_brings_accuracy_back():
    splits = data.load("digits", input_shape=(8, 8, 1))
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 1))
    x = image
    for filters in (16, 32, 32):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    model = keras.Model(image, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))
    task = Task(splits)
    fit(model, task, TrainingConfig(epochs=3, learning_rate=0.1), seed=0)
    bound = task.bind(model)
    graph = ChannelGraph(model)
    scores = {name: RANDOM.random(group.channels) for name, group in graph.groups.items()}
    small = prune(model, Budget(macs=0.7).allocate(graph, scores))
    stored = bound.value(small)
    recalibrate(small, task)
    assert bound.value(small) > stored + 10
