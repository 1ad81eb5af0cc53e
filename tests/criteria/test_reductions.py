"""One score from several weights."""

import keras
import numpy as np
import pytest

from keras_prune.criteria import L1, TaylorWeight
from keras_prune.criteria.reductions import joined
from keras_prune.errors import ConfigError
from keras_prune.graph import Binding, ChannelGroup, Member, Role


def member(*owner):
    variable = keras.Variable(np.zeros((len(owner), 2)))
    labels = np.array(owner) + 1
    return Member(
        Binding(keras.layers.Layer(), variable, 0, labels, Role.CONSUMER), np.array(owner)
    )


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [("sum", [1, 12, 23]), ("mean", [1, 6, 11.5]), ("max", [1, 10, 20]), ("first", [1, 2, 3])],
)
def test_a_weight_counts_for_the_channels_it_holds(reduction, expected):
    whole, part = member(0, 1, 2), member(-1, 1, 2, 2)
    group = ChannelGroup("a", np.array([1, 2, 3]), (whole, part))
    scores = {id(whole): np.array([1.0, 2, 3]), id(part): np.array([99.0, 10, 20])}
    found = joined(group, [whole, part], lambda member: scores[id(member)], reduction)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("criterion", [L1, TaylorWeight])
def test_unknown_reductions(criterion):
    with pytest.raises(ConfigError, match="Unknown reduction 'men'. Did you mean 'mean'?"):
        criterion(reduction="men")
