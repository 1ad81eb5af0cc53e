"""The slices each channel owns, against a loop over positions."""

import keras
import numpy as np
import pytest

from keras_prune.graph import ChannelGraph, channel_slices
from tests.networks import NETWORKS
from tests.surgery.invariant import randomise


def by_loop(group, member):
    values = np.moveaxis(np.asarray(member.binding.variable), member.binding.axis, 0)
    owned = [[] for _ in range(group.channels)]
    for position, channel in enumerate(member.owner):
        if channel >= 0:
            owned[channel].extend(values[position].ravel())
    return owned


@pytest.mark.parametrize(
    "name", ["chain", "concat", "concat_twice_the_same", "repeated_unequally", "grouped", "halves"]
)
def test_every_member(name):
    graph = ChannelGraph(randomise(NETWORKS[name].build()))
    for group in graph.groups.values():
        for member in group.members:
            found, expected = channel_slices(group, member), by_loop(group, member)
            assert found.shape == (group.channels, max(map(len, expected)))
            for row, values in zip(found, expected, strict=True):
                np.testing.assert_array_equal(row[: len(values)], values)
                assert not row[len(values) :].any()


def test_weights_of_low_precision():
    model = keras.Sequential([
        keras.Input((2,)), keras.layers.Dense(3, dtype="bfloat16"), keras.layers.Dense(1),
    ])  # fmt: skip
    (group,) = ChannelGraph(model).groups.values()
    assert channel_slices(group, group.members[0]).dtype == "float32"
