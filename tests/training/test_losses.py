"""Losses by example."""

import keras
import numpy as np
import pytest

from keras_prune.errors import ConfigError
from keras_prune.training.losses import per_example

PREDICTED = np.random.default_rng(1).random((5, 3)).astype("float32")
LABELS = np.random.default_rng(2).random((5, 3)).astype("float32")
EACH = np.square(PREDICTED - LABELS).mean(axis=1)


def my_loss(labels, outputs):
    return keras.ops.square(labels - outputs)  # (batch, 3)


@pytest.mark.parametrize("loss", ["mse", keras.losses.MeanSquaredError(), my_loss])
def test_one_value_per_example(loss):
    np.testing.assert_allclose(per_example(loss)(LABELS, PREDICTED), EACH, rtol=1e-5)


@pytest.mark.parametrize(
    ("loss", "weights", "labels"),
    [
        (["mse", "mae"], [2.0, 0.0], [LABELS, LABELS]),
        ({"p": "mse", "q": None}, {"p": 2.0}, {"p": LABELS, "q": LABELS}),
        (["mse", None], [2.0, 1.0], (LABELS, LABELS)),
    ],
)
def test_several_outputs_are_summed_by_their_weights(loss, weights, labels):
    found = per_example(loss, weights, ["p", "q"])(labels, [PREDICTED, 0 * PREDICTED])
    np.testing.assert_allclose(found, 2 * EACH, rtol=1e-5)


def test_a_mean_over_the_batch_and_no_loss_are_refused():
    mean = per_example(lambda labels, outputs: keras.ops.mean(labels - outputs))
    with pytest.raises(ConfigError, match="one value per example.*Leave out its mean"):
        mean(LABELS, PREDICTED)
    with pytest.raises(ConfigError, match="Received: loss='mze'"):
        per_example("mze")
