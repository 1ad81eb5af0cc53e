"""Mean absolute activations, by hand."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.criteria import Activation
from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import examples, two_flat_readers, two_readers, weights

pytestmark = pytest.mark.tensorflow


def test_what_is_read_lies_behind_norm_and_activation():
    model = two_readers()
    x, _ = examples(model)
    behind = keras.Model(model.input, model.get_layer("c").input)
    expected = np.asarray(behind(x, training=False)).mean(axis=(0, 1, 2))
    found = Activation(batch_size=3)(ChannelGraph(model), x)["a"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_flat_positions():
    model = two_flat_readers()
    x, _ = examples(model)
    w, b = weights(model, "a")
    expected = np.maximum(x @ w[0, 0] + b, 0).mean(axis=(0, 1, 2))
    np.testing.assert_allclose(Activation()(ChannelGraph(model), x)["a"], expected, rtol=1e-5)


def test_signs_do_not_cancel_and_channels_nobody_reads_are_zero():
    i = keras.Input((2,))
    x = kl.Dense(8, name="a")(i)
    model = keras.Model(i, kl.Dense(2)(x[..., ::2]))
    kernel = np.zeros((2, 8))
    kernel[0] = range(8)
    model.get_layer("a").set_weights([kernel, np.zeros(8)])
    found = Activation()(ChannelGraph(model), np.array([[1.0, 0.0], [-1.0, 0.0]]))
    np.testing.assert_allclose(sorted(found["a"]), [0, 2, 4, 6])
    np.testing.assert_allclose(found["a:2"], 0)


def test_weights_that_are_not_finite_name_the_group():
    i = keras.Input((2,))
    model = keras.Model(i, kl.Dense(2)(kl.Dense(3, name="a")(i)))
    model.get_layer("a").bias.assign([np.nan] * 3)
    with pytest.raises(ModelError, match=r"group 'a' \(3 of 3 channels\)"):
        Activation()(ChannelGraph(model), np.array([[2.0, 1.0]]))
