"""Logits, probabilities or sigmoids, whatever layer comes last."""

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from keras_prune import Task
from keras_prune.criteria import Taylor
from keras_prune.errors import ConfigError, DataError
from keras_prune.graph import ChannelGraph
from keras_prune.training import evaluate
from keras_prune.training.class_loss import cross_entropy
from keras_prune.training.outputs import kind_of

X = np.random.default_rng(0).normal(size=(30, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 10, 30)


def model(*last, units=10, dtype=None):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,), dtype=dtype)
    hidden = kl.Dense(8, activation="relu", name="hidden", dtype=dtype)(inputs)
    x = kl.Dense(units, dtype=dtype)(hidden)
    for layer in last:
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        ([], "logits"),
        ([kl.Softmax()], "probabilities"),
        ([kl.Softmax(), kl.Reshape((1, 10)), kl.Reshape((10,))], "probabilities"),
        ([ops.softmax, lambda x: x * 1.0], "probabilities"),
        ([kl.Activation("sigmoid")], "sigmoids"),
        ([ops.sigmoid], "sigmoids"),
        ([kl.ReLU()], "logits"),
    ],
)
def test_values_tell(last, kind):
    assert kind_of(model(*last)) == kind


def test_half_precision_is_near_enough():
    assert kind_of(model(kl.Softmax(dtype="float16"), dtype="float16")) == "probabilities"


@pytest.mark.parametrize("from_logits", [True, False])
def test_what_a_model_was_compiled_with_counts(from_logits):
    made = model()
    made.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits))
    assert kind_of(made) == ("logits" if from_logits else "probabilities")


def test_a_softmax_that_is_not_last_is_no_logit():
    hidden = model(kl.Softmax(), kl.Reshape((1, 10)), kl.Reshape((10,)))
    plain = model(kl.Softmax())
    task = Task((X, Y), validation=(X, Y))
    bound = task.bind(hidden)
    assert bound.assumed == "The outputs were taken for probabilities, for they sum to 1."
    assert task.bind(plain).assumed == ""
    found, expected = (
        task.bind(each).evaluate(each, "validation")["loss"] for each in (hidden, plain)
    )
    assert found == pytest.approx(expected, rel=1e-5)
    scores = [Taylor()(ChannelGraph(each), (X, Y))["hidden"] for each in (hidden, plain)]
    np.testing.assert_allclose(*scores, rtol=1e-4)


def test_classes_of_a_sigmoid_are_told_from_all_others():
    made = model(kl.Activation("sigmoid"))
    expected = keras.losses.binary_crossentropy(np.eye(10)[Y], made(X))
    np.testing.assert_allclose(cross_entropy(made)(Y[:, None], made(X)), expected, rtol=1e-5)
    assert "class numbers" in Task((X, Y), validation=(X, Y)).bind(made).assumed


@pytest.mark.parametrize(("units", "shape"), [(1, (30,)), (1, (30, 1)), (4, (30, 4))])
def test_zeros_and_ones_for_each_sigmoid_are_a_task(units, shape):
    made = model(kl.Activation("sigmoid"), units=units)
    labels = np.random.default_rng(2).integers(0, 2, shape)
    task = Task((X, labels), validation=(X, labels)).bind(made)
    found = task.evaluate(made, "validation")
    right = (np.asarray(made(X)) > 0.5) == labels.reshape(30, units)
    assert found["accuracy"] == pytest.approx(100 * right.mean(), abs=1e-4)
    assert not task.classes
    made.compile(loss="binary_crossentropy")
    assert found["loss"] == pytest.approx(made.evaluate(X, labels.reshape(30, units), verbose=0))
    assert evaluate(made, (X, labels)) == pytest.approx(found, rel=1e-4)


def test_masks_are_a_task_as_well():
    i = keras.Input((4, 4, 2))
    made = keras.Model(i, kl.Conv2D(2, 1, activation="sigmoid")(kl.Conv2D(3, 1)(i)))
    random = np.random.default_rng(0)
    x = random.normal(size=(20, 4, 4, 2)).astype("float32")
    y = random.integers(0, 2, (20, 4, 4, 2))
    task = Task((x, y), validation=(x, y)).bind(made)
    made.compile(loss="binary_crossentropy")
    expected = made.evaluate(x, y, verbose=0)
    assert task.evaluate(made, "validation")["loss"] == pytest.approx(expected, rel=1e-5)
    assert np.asarray(task.per_example(made)(y, made(x))).shape == (20,)


def test_labels_of_a_sigmoid_can_be_smoothed():
    made, labels = model(kl.Activation("sigmoid"), units=1), Y % 2
    task = Task((X, labels), validation=(X, labels)).bind(made)
    loss = task.compiled(made, label_smoothing=0.2).loss
    expected = keras.losses.binary_crossentropy(labels[:, None], made(X), label_smoothing=0.2)
    np.testing.assert_allclose(loss(labels, made(X)), expected, rtol=1e-5)


@pytest.mark.parametrize(("units", "shape"), [(1, (30,)), (1, (30, 1)), (4, (30, 4))])
def test_a_criterion_takes_the_binary_cross_entropy_of_sigmoids(units, shape):
    graph = ChannelGraph(model(kl.Activation("sigmoid"), units=units))
    labels = np.random.default_rng(2).integers(0, 2, shape)
    found = Taylor()(graph, (X, labels))["hidden"]
    expected = Taylor(loss="binary_crossentropy")(graph, (X, labels.astype("float32")))["hidden"]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", None])
def test_a_single_score_tells_no_classes_apart(loss):
    made, labels = model(units=1), Y % 2
    with pytest.raises(ConfigError, match=r"\(None, 1\)|one output|not compiled"):
        Task((X, labels), validation=(X, labels), loss=loss).bind(made)
    with pytest.raises(ConfigError, match="each class|no classes apart"):
        Taylor(loss=loss)(ChannelGraph(made), (X, labels))


def test_class_numbers_may_be_floats_and_pixels_have_them_too():
    made = model()
    floats = Y.astype("float32")
    found = Task((X, floats), validation=(X, floats)).bind(made).evaluate(made, "validation")
    assert found == pytest.approx(evaluate(made, (X, Y[:, None])))
    image = keras.Input((4, 4, 3))
    pixels = keras.Model(image, kl.Conv2D(3, 1)(kl.Conv2D(4, 1, name="a")(image)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    x, y = np.ones((5, 4, 4, 3), "float32"), np.full((5, 4, 4), 3)
    task = Task((x, y), validation=(x, y), loss=loss).bind(pixels)
    with pytest.raises(DataError, match="from 0 to 2 in the validation data"):
        task.evaluate(pixels, "validation")
    with pytest.raises(DataError, match="from 0 to 2 in the validation data"):
        task.examples("validation")
    with pytest.raises(DataError, match="Received: labels from 3 to 3"):
        Taylor(loss=loss)(ChannelGraph(pixels), (x, y))
    ignoring = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=3)
    task = Task((x, y), validation=(x, y), loss=ignoring, metrics=[]).bind(pixels)
    assert task.evaluate(pixels, "validation")["loss"] == 0


def test_labels_and_inputs_given_to_evaluate_are_looked_through():
    made = model()
    for data in ((X, Y + 5), (np.where(X > 2, np.float32("nan"), X), Y)):
        with pytest.raises(DataError, match="in the given data|The given data hold"):
            evaluate(made, data)
    with pytest.raises(ConfigError, match="no class numbers"):
        evaluate(made, (X, np.eye(10)[Y]))


def test_a_subclassed_model_is_told_by_its_values():
    class Soft(keras.Model):
        def __init__(self):
            super().__init__()
            self.scores, self.last = kl.Dense(3), kl.Softmax()

        def call(self, x):
            return self.last(self.scores(x))

    made = Soft()
    made(X)
    assert kind_of(made) == "probabilities"
