"""Sorting channels by importance."""

import numpy as np
import pytest

from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp.ordering import ordered

from .small import chain, images, residual


@pytest.mark.parametrize("build", [chain, residual])
def test_the_network_computes_the_same(build):
    model, random = build(), np.random.default_rng(0)
    graph = ChannelGraph(model)
    scores = {name: random.random(group.channels) for name, group in graph.groups.items()}
    x = images(side=model.input_shape[1])
    copy = ordered(graph, scores)
    np.testing.assert_allclose(copy(x), model(x), rtol=1e-3, atol=1e-4)
    moved = [
        not np.array_equal(a, b)
        for a, b in zip(copy.get_weights(), model.get_weights(), strict=True)
    ]
    assert sum(moved) >= 3


def test_the_highest_score_comes_first():
    model = chain()
    copy = ordered(ChannelGraph(model), {"conv1": np.array([3, 1, 2, 6, 5, 4])})
    before, after = (m.get_layer("conv1").get_weights()[0] for m in (model, copy))
    np.testing.assert_array_equal(after, before[..., [3, 4, 5, 0, 2, 1]])
    before, after = (m.get_layer("conv2").get_weights()[0] for m in (model, copy))
    np.testing.assert_array_equal(after, before[:, :, [3, 4, 5, 0, 2, 1]])


def test_the_model_is_not_changed():
    model = chain()
    before = model.get_weights()
    ordered(ChannelGraph(model), {"conv1": np.arange(6)})
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
