"""Channels that do nothing any more leave for real, and nothing else changes."""

import keras
import numpy as np
import pytest

from keras_prune.graph import ChannelGraph
from keras_prune.surgery import prune
from keras_prune.surgery.dead_channels import without_dead
from tests.methods.magnitude.small import images, network

layers = keras.layers


def zeroed(model: keras.Model, name: str, index) -> keras.Model:
    kernel = model.get_layer(name).kernel.numpy()
    kernel[index] = 0
    model.get_layer(name).kernel.assign(kernel)
    return model


def pruned(model: keras.Model) -> keras.Model:
    small = prune(model, without_dead(ChannelGraph(model)))
    outputs = model(images(), training=False), small(images(), training=False)
    np.testing.assert_allclose(*map(np.asarray, outputs), atol=1e-5)
    return small


def test_a_whole_network_stays_whole():
    assert not without_dead(ChannelGraph(network())).kept


def test_neurons_that_nothing_reads_leave():
    model = zeroed(network(), "fc2", ([2, 5, 7],))
    model.get_layer("fc1").bias.assign(np.ones(16))
    assert pruned(model).get_layer("fc1").units == 13


def test_filters_that_nothing_reads_leave():
    model = network()
    kernel = model.get_layer("fc1").kernel.numpy().reshape(6, 6, 6, 16)
    kernel[:, :, 4] = 0
    model.get_layer("fc1").kernel.assign(kernel.reshape(216, 16))
    assert pruned(model).get_layer("conv").filters == 5


@pytest.mark.parametrize(("bias", "left"), [(0.0, 14), (-0.5, 14), (0.5, 16)])
def test_neurons_without_weights_leave_if_their_bias_makes_nothing(bias, left):
    model = zeroed(network(), "fc1", (slice(None), [1, 3]))
    model.get_layer("fc1").bias.assign(np.full(16, bias))
    assert pruned(model).get_layer("fc1").units == left


def test_a_filter_with_an_offset_behind_it_stays():
    inputs = keras.Input((8, 8, 1))
    norm = layers.BatchNormalization(name="norm", beta_initializer="ones")
    x = norm(layers.Conv2D(4, 3, name="conv")(inputs))
    model = keras.Model(inputs, layers.Dense(2, name="head")(layers.GlobalMaxPooling2D()(x)))
    assert pruned(zeroed(model, "conv", (..., 1))).get_layer("conv").filters == 4
    assert pruned(zeroed(model, "head", 1)).get_layer("conv").filters == 3


def test_one_channel_of_a_dead_layer_stays():
    assert pruned(zeroed(network(), "fc2", ...)).get_layer("fc1").units == 1
