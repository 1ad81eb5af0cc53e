"""What guessing reaches, and for which objectives there is such a thing."""

import keras
import pytest

from keras_prune.training.chance import classes_of, doubts
from keras_prune.training.objective import Objective

layers = keras.layers


@pytest.mark.parametrize(
    ("outputs", "metric", "classes"),
    [
        (layers.Dense(10), "accuracy", 10),
        (layers.Dense(1, activation="sigmoid"), "binary_accuracy", 2),
        (layers.Dense(4, activation="sigmoid"), "binary_accuracy", None),  # four answers each
        (layers.Dense(10), "loss", None),
        (layers.Reshape((2, 2)), "accuracy", None),
    ],
)
def test_classes_of_an_accuracy(outputs, metric, classes):
    inputs = keras.Input((4,))
    assert classes_of(keras.Model(inputs, outputs(inputs)), Objective(metric)) == classes


def test_a_network_that_does_no_better_than_guessing_is_doubted():
    assert doubts(40.0, 10) is None
    assert doubts(1.6, 1000) is None
    told = doubts(10.8, 10)
    assert "10.80 %" in told and "gives 10 %" in told and "--rescale 1/255" in told
