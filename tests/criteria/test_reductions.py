"""One score from several weights."""

import keras
import numpy as np
import pytest

from keras_prune.criteria import L1, TaylorWeight
from keras_prune.criteria.reductions import counted, joined
from keras_prune.errors import ConfigError
from keras_prune.graph import Binding, ChannelGraph, ChannelGroup, Member, Role
from tests.criteria.nets import two_readers


def member(*owner):
    variable = keras.Variable(np.zeros((len(owner), 2)))
    labels = np.array(owner) + 1
    return Member(
        Binding(keras.layers.Layer(), variable, 0, labels, Role.CONSUMER), np.array(owner)
    )


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        ("sum", [1, 12, 23]),
        ("mean", [1, 6, 11.5]),
        ("max", [1, 10, 20]),
        ("first", [1, 2, 3]),
        ("prod", [1, 20, 60]),
    ],
)
def test_a_weight_counts_for_the_channels_it_holds(reduction, expected):
    whole, part = member(0, 1, 2), member(-1, 1, 2, 2)
    group = ChannelGroup("a", np.array([1, 2, 3]), (whole, part))
    scores = {id(whole): np.array([1.0, 2, 3]), id(part): np.array([99.0, 10, 20])}
    found = joined(group, [whole, part], lambda member: scores[id(member)], reduction)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("criterion", [L1, TaylorWeight])
def test_a_product_leaves_out_what_may_be_zero(criterion):
    with pytest.raises(ConfigError, match="'prod' and affine=True do not go together"):
        criterion(reduction="prod", affine=True)


def test_what_is_learned_beside_kernels_counts_where_it_is_asked_for():
    model = two_readers()
    group = ChannelGraph(model).groups["a"]
    names = [
        [m.binding.variable.name for m in counted(group, False, flag)] for flag in (False, True)
    ]
    assert names[0] == ["kernel"] and sorted(names[1]) == ["beta", "bias", "gamma", "kernel"]
    gamma = np.abs(model.get_layer("norm").gamma)
    one, more = (
        L1("sum", consumers=False, affine=flag)(ChannelGraph(model))["a"] for flag in (False, True)
    )
    others = np.abs(model.get_layer("norm").beta) + np.abs(model.get_layer("a").bias)
    np.testing.assert_allclose(more - one, gamma + others, rtol=1e-5)


@pytest.mark.parametrize("criterion", [L1, TaylorWeight])
def test_unknown_reductions(criterion):
    with pytest.raises(ConfigError, match="Unknown reduction 'men'. Did you mean 'mean'?"):
        criterion(reduction="men")
