"""The loss that gradients are taken of."""

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from keras_prune.criteria import Taylor
from keras_prune.criteria.losses import per_example
from keras_prune.errors import ConfigError, ModelError
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import dense, examples, softmax, two_readers

pytestmark = pytest.mark.tensorflow


class Subclassed(keras.Model):
    def __init__(self, last):
        super().__init__()
        self.hidden, self.scores, self.last = kl.Dense(3), kl.Dense(2), last

    def call(self, x):
        return self.last(self.scores(self.hidden(x)))


def subclassed(last):
    model = Subclassed(last)
    model(np.zeros((1, 2)))
    return model


def nested():
    i = keras.Input((2,))
    return keras.Model(i, dense(last="softmax")(kl.ReLU()(i)))


@pytest.mark.parametrize(
    ("model", "probabilities"),
    [
        (lambda: dense(), False),
        (lambda: dense(last="softmax"), True),
        (nested, True),
        (lambda: subclassed(ops.softmax), True),
        (lambda: subclassed(kl.Softmax()), True),
        (lambda: subclassed(ops.tanh), False),
    ],
)
def test_it_tells_logits_from_probabilities(model, probabilities):
    outputs = np.array([[0.2, 0.8], [0.4, 0.6]], "float32")
    labels = np.array([1, 0])
    found = per_example(ChannelGraph(model()), None)(labels, outputs)
    expected = -np.log((outputs if probabilities else softmax(outputs))[[0, 1], labels])
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "loss", ["mse", keras.losses.MeanSquaredError(), keras.losses.mean_squared_error]
)
def test_losses_of_keras_are_not_averaged_over_the_batch(loss):
    a, b = np.zeros((3, 2), "float32"), np.array([[1, 1], [2, 4], [0, 0]], "float32")
    found = per_example(ChannelGraph(dense()), loss)(a, b)
    np.testing.assert_allclose(found, [1, 10, 0])


def test_a_loss_with_one_number_is_refused():
    model = dense()
    with pytest.raises(ConfigError) as caught:
        Taylor(loss=lambda labels, outputs: ops.mean(outputs))(ChannelGraph(model), examples(model))
    assert "one value per example" in str(caught.value) and "\n" not in str(caught.value)


def test_outputs_that_are_no_classes_need_a_loss():
    i = keras.Input((6, 6, 3))
    model = keras.Model(i, kl.Conv2D(2, 1)(kl.Conv2D(4, 1)(i)), name="segments")
    data = np.zeros((2, 6, 6, 3)), np.zeros(2)
    with pytest.raises(ModelError, match=r"\(batch, classes\) of model 'segments'. Rec"):
        Taylor()(ChannelGraph(model), data)


def test_labels_that_do_not_fit_the_loss_give_one_line():
    model = dense()
    x, _ = examples(model)
    with pytest.raises(ModelError, match=r"does not fit labels of shape \(7, 3\)") as caught:
        Taylor(loss="mse")(ChannelGraph(model), (x, np.zeros((7, 3), "float32")))
    assert "\n" not in str(caught.value)


def test_labels_of_any_kind_with_a_loss():
    model = two_readers()
    x, y = examples(model)
    scores = Taylor()(ChannelGraph(model), (x, y))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    hot = Taylor(loss=loss)(ChannelGraph(model), (x, np.eye(2, dtype="float32")[y]))
    for name in scores:
        np.testing.assert_allclose(hot[name], scores[name], rtol=1e-4)
