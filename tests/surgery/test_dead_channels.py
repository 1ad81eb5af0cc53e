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


def assert_the_same_for_all_inputs(model: keras.Model, **graph) -> keras.Model:
    small = prune(model, without_dead(ChannelGraph(model, **graph)))
    random = np.random.default_rng(0)
    for scale in (0.0, 1.0, -100.0, 1e4):
        x = (scale * random.normal(size=(3, *model.input_shape[1:]))).astype("float32")
        expected, found = (np.asarray(each(x, training=False)) for each in (model, small))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * max(1, abs(scale)))
    return small


def test_a_constant_that_only_some_inputs_show_stays():
    """On pixels near 0 the second layer's ReLU hides what the constant adds."""
    image = keras.Input((4, 4, 1))
    x = layers.Conv2D(4, 1, activation="relu", name="a")(layers.Rescaling(1 / 255)(image))
    x = layers.Conv2D(3, 1, activation="relu", name="b")(x)
    model = keras.Model(image, layers.Dense(2, name="head")(layers.Flatten()(x)))
    model.get_layer("a").set_weights([np.array([[[[0.0, 0, 1, 2]]]]), np.array([0.5, 0, 0, 0])])
    model.get_layer("b").set_weights([np.full((1, 1, 4, 3), 0.6), np.full(3, -0.5)])
    small = assert_the_same_for_all_inputs(model)
    assert small.get_layer("a").filters == 3  # the one that is 0 for every input has left


def attended(image, x):
    """A map of one channel that is 0 on small inputs weighs all channels."""
    weight = layers.Dense(1, activation="relu", bias_initializer=keras.initializers.Constant(-50))
    return layers.Multiply()([x, weight(image)])


def shifted(image, x):
    weight = layers.Dense(1, activation="relu", bias_initializer=keras.initializers.Constant(-50))
    return layers.Add()([x, weight(image)])


def excited(image, x):
    squeezed = layers.GlobalAveragePooling2D(keepdims=True)(x)
    return layers.Multiply()([x, layers.Dense(4, activation="sigmoid", name="gate")(squeezed)])


def beside(image, x):
    return layers.Concatenate()([x, layers.Conv2D(2, 1, name="other")(image)])


@pytest.mark.parametrize(
    ("joined", "bias", "filters"),
    [(attended, 0.5, 4), (shifted, 0.0, 4), (beside, 0.0, 3), (beside, 0.5, 4), (excited, 0.0, 4)],
)
def test_what_joins_a_channel_on_its_way_counts(joined, bias, filters):
    keras.utils.set_random_seed(0)
    image = keras.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="a")(image)
    x = layers.AveragePooling2D(2)(layers.ZeroPadding2D(1)(joined(image, x)))
    model = keras.Model(image, layers.Dense(2, name="head")(layers.Flatten()(x)))
    kernel, _ = model.get_layer("a").get_weights()
    kernel[..., 1] = 0
    model.get_layer("a").set_weights([kernel, np.array([0.1, bias, 0.1, 0.1])])
    assert assert_the_same_for_all_inputs(model).get_layer("a").filters == filters


def test_what_a_norm_over_the_channels_sees_stays():
    inputs = keras.Input((4,))
    x = layers.LayerNormalization(name="norm")(layers.Dense(6, name="a")(inputs))
    model = keras.Model(inputs, layers.Dense(2, name="head")(x))
    kernel, bias = model.get_layer("head").get_weights()
    kernel[1] = 0
    model.get_layer("head").set_weights([kernel, bias])
    assert assert_the_same_for_all_inputs(model, admit_norms=True).get_layer("a").units == 6
