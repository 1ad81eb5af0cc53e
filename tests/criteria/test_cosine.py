"""Channels that larger ones of their group make redundant."""

import keras
import numpy as np

from keras_prune.criteria import Cosine
from keras_prune.graph import ChannelGraph


def scored(kernel):
    i = keras.Input((2,))
    hidden = keras.layers.Dense(len(kernel), name="hidden", use_bias=False)(i)
    model = keras.Model(i, keras.layers.Dense(1)(hidden))
    model.get_layer("hidden").set_weights([np.array(kernel, "float32").T])
    return Cosine(consumers=False)(ChannelGraph(model))["hidden"]


def test_of_two_that_point_the_same_way_the_larger_one_stays():
    np.testing.assert_allclose(scored([(1, 1), (3, 3), (-2, -2), (1, -1)]), [0, 2, 2, 1], atol=1e-6)


def test_of_equal_ones_the_first_stays_and_zeros_leave():
    np.testing.assert_allclose(scored([(1, 0), (1, 0), (0, 0)]), [2, 0, 0], atol=1e-6)
