"""Magnitude among what would be left, by hand."""

import numpy as np

from keras_prune.criteria import LAMP
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import dense


def scored(kernel):
    model = dense()
    model.get_layer("hidden").kernel.assign(kernel)
    return LAMP(consumers=False)(ChannelGraph(model))["hidden"]


def test_by_hand():
    # squared norms 4, 1, 25
    np.testing.assert_allclose(scored([[2.0, 0.0, 3.0], [0.0, 1.0, 4.0]]), [4 / 29, 1 / 30, 1])


def test_readers_add_to_the_squares():
    model = dense()
    model.get_layer("hidden").kernel.assign([[2.0, 0.0, 3.0], [0.0, 1.0, 4.0]])
    model.get_layer("head").kernel.assign([[4.0, 2.0], [0.0, 0.0], [1.0, 0.0]])
    found = LAMP("sum")(ChannelGraph(model))["hidden"]  # 24, 1, 26
    np.testing.assert_allclose(found, [24 / 50, 1 / 51, 1])


def test_of_equal_channels_the_later_one_stays():
    np.testing.assert_allclose(scored([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]), [1 / 3, 1 / 2, 1])


def test_zeros_are_worth_nothing():
    np.testing.assert_array_equal(scored(np.zeros((2, 3))), 0)
