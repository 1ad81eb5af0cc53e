"""The scales of BatchNormalization."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.criteria import BNScale
from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import dense
from tests.networks import conv, head, image
from tests.surgery.invariant import randomise


def residual():
    i = image()
    x = kl.BatchNormalization(name="one")(conv(4, "a")(i))
    y = kl.BatchNormalization(name="two")(kl.Concatenate()([x, x]))
    z = kl.BatchNormalization(name="three")(conv(4, "b")(y))
    return randomise(keras.Model(i, head(kl.Add()([z, x]))))


def test_scales_of_all_norms_a_channel_goes_through():
    model = residual()
    model.get_layer("one").gamma.assign([-1.0, 2.0, 3.0, 4.0])
    one, two, three = (
        np.abs(np.asarray(model.get_layer(name).gamma)) for name in ("one", "two", "three")
    )
    expected = (one + two[:4] + two[4:] + three) / 3
    np.testing.assert_allclose(BNScale()(ChannelGraph(model))["a"], expected, rtol=1e-6)


def test_groups_without_a_norm_are_named_and_get_no_score():
    i = image()
    x = kl.BatchNormalization()(conv(4, "a")(i))
    graph = ChannelGraph(keras.Model(i, head(conv(4, "b")(x))))
    scores = BNScale()(graph)
    assert list(scores) == ["a"]
    assert scores.unscored == {"b": "its channels go through no BatchNormalization with a scale"}


def test_a_network_without_norms_has_no_scores():
    with pytest.raises(ModelError, match="no score for any group of model .* go through no Batch"):
        BNScale()(ChannelGraph(dense()))
