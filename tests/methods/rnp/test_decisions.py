"""What a network can decide about."""

import keras
import numpy as np
import pytest

from keras_prune import zoo
from keras_prune.errors import ConfigError, ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp.decisions import find_decisions

from .small import chain, decided, residual

layers = keras.layers


def test_a_chain_decides_about_all_but_the_first_convolution():
    decisions = decided()
    assert [(step.name, step.bounds, step.state) for step in decisions.steps] == [
        ("conv1", (2, 4, 6), 4),
        ("conv2", (3, 6, 8), 6),
        ("conv3", (3, 5, 7), 8),
    ]
    assert list(decisions.whole) == ["conv0"]
    assert "nothing to decide by" in decisions.whole["conv0"]


def test_vgg16_decides_about_twelve():
    assert len(find_decisions(ChannelGraph(zoo.vgg16())).steps) == 12


def test_channels_of_an_addition_stay_whole():
    decisions = decided(residual())
    assert [step.name for step in decisions.steps] == ["inner", "last"]
    assert decisions.whole == {
        "stem": "several layers share its channels, or its layer makes others, too"
    }


def test_a_shared_convolution_stays_whole():
    image = keras.Input((8, 8, 3))
    shared = layers.Conv2D(4, 3, padding="same", name="shared")
    x = layers.Conv2D(5, 3, padding="same", name="first")(image)
    x = layers.Concatenate()([shared(layers.ReLU()(x)), shared(layers.Activation("tanh")(x))])
    x = layers.Conv2D(6, 3, name="own")(x)
    x = layers.Dense(2)(layers.Flatten()(x))
    decisions = decided(keras.Model(image, x))
    assert [step.name for step in decisions.steps] == ["own"]
    assert "called more than once" in decisions.whole["shared"]


@pytest.mark.parametrize("sets", [1, 7, 0])
def test_sets_that_a_layer_cannot_fill_are_refused(sets):
    with pytest.raises(ConfigError, match=f"'conv1' has 6 channels. Received: {sets}"):
        decided(chain(), sets)


def test_sets_may_be_uneven_and_never_empty():
    for sets in range(2, 7):
        for step in decided(chain(), sets).steps:
            sizes = np.diff((0, *step.bounds)).tolist()
            assert len(sizes) == sets
            assert min(sizes) >= max(sizes) - 1 >= 0
            assert step.bounds[-1] == step.group.channels


def test_a_network_without_convolutions_is_refused():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    with pytest.raises(ModelError, match="no convolution to decide about at run time: dense"):
        find_decisions(ChannelGraph(model))
