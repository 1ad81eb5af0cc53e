"""What one channel costs is what leaves with it."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.graph import ChannelGraph, ChannelGroup, Member, Role, Rule, Unsupported
from keras_prune.graph.costs import channel_macs, channel_parameters
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.surgery import prune_graph
from tests.networks import NETWORKS, head, image, sampled


def without(graph: ChannelGraph, name: str, channel: int) -> keras.Model:
    kept = [c for c in range(graph.groups[name].channels) if c != channel]
    return prune_graph(graph, PruningPlan.for_graph(graph, {name: kept}))


@pytest.mark.parametrize("name", sampled())
def test_costs_are_what_a_prune_of_one_channel_saves(name):
    graph = ChannelGraph(NETWORKS[name].build())
    macs = channel_macs(graph)
    for group in graph.groups.values():
        for channel in {0, group.channels - 1} if group.channels > 1 else ():
            small = without(graph, group.name, channel)
            saved = graph.model.count_params() - small.count_params()
            assert channel_parameters(group)[channel] == saved
            if (work := macs[group.name]) is not None:
                assert work[channel] == profile(graph.model).total.macs - profile(small).total.macs


def test_what_two_slices_share_is_counted_once():
    i = keras.Input((4,))
    x = shared = kl.Dense(5, use_bias=False, name="first")(i)
    square = kl.Dense(5, use_bias=False, name="square")
    graph = ChannelGraph(keras.Model(i, kl.Dense(3)(kl.Add()([square(x), shared]))))
    (group,) = graph.groups.values()
    assert channel_parameters(group).tolist() == [4 + (25 - 16) + 3] * 5
    assert channel_macs(graph) == {"first": pytest.approx([4 + 9 + 3] * 5)}


def test_channels_of_one_group_may_differ():
    i = keras.Input((4,))
    graph = ChannelGraph(keras.Model(i, kl.Dense(3)(kl.Dense(2, name="a")(i))))
    (binding,) = [member.binding for member in graph.groups["a"].by_role(Role.PRODUCER)]
    uneven = Member(replace(binding, axis=0), np.array([0, 0, 1, -1]))
    group = ChannelGroup("a", np.array([1, 2]), (uneven,))
    assert channel_parameters(group).tolist() == [2 * 2, 1 * 2]


def test_a_nested_model_works_at_every_call():
    inner = keras.Sequential([keras.Input((None, 3)), kl.Dense(6, name="a"), kl.Dense(2)])
    short, long = keras.Input((5, 3)), keras.Input((7, 3))
    graph = ChannelGraph(keras.Model([short, long], [inner(short), inner(long)]))
    assert channel_macs(graph) == {"a": pytest.approx([(3 + 2) * (5 + 7)] * 6)}


def test_unknown_lengths_leave_the_work_unknown_and_the_parameters_known():
    i = image(size=None)
    graph = ChannelGraph(keras.Model(i, head(kl.Conv2D(8, 3, name="a")(i))))
    assert channel_macs(graph) == {"a": None}
    assert channel_parameters(graph.groups["a"]).tolist() == [27 + 1 + 4] * 8


def test_work_that_no_rule_can_count_is_unknown(monkeypatch):
    def cannot(self: Rule, call: object) -> int:
        raise Unsupported("no idea")

    i = image()
    x = kl.Conv2D(6, 3, name="b")(kl.ReLU()(kl.Conv2D(8, 3, name="a")(i)))
    graph = ChannelGraph(keras.Model(i, head(kl.BatchNormalization()(x))))
    monkeypatch.setattr("keras_prune.graph.rules.channelwise.BatchNormalizationRule.macs", cannot)
    macs = channel_macs(graph)
    assert macs["b"] is None
    np.testing.assert_array_equal(macs["a"], [(27 * 16) + 9 * 6 * 4] * 8)
