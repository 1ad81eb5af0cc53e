"""What a mask on a group cannot change comes before the cut, all else after it."""

import keras
import numpy as np
import pytest

from keras_prune.graph import ChannelGraph, execute, split
from tests.methods.filter_agent.small import residual_network

layers = keras.layers


@pytest.fixture(scope="module")
def graph():
    return ChannelGraph(residual_network(seed=0))


def names(calls):
    return [call.name for call in calls]


def test_every_call_is_on_one_side(graph):
    for group in graph.groups.values():
        parts = split(graph, [group])
        assert sorted(names([*parts.early, *parts.late])) == sorted(names(graph.trace.calls))


def test_the_layers_that_make_a_group_are_early_those_that_read_it_late(graph):
    parts = split(graph, [graph.groups["inner"]])
    assert "inner" in names(parts.early)
    assert names(parts.late)[0] == "branch"


def test_a_nested_model_that_reads_the_group_is_late(graph):
    parts = split(graph, [graph.groups["stem"]])
    nested = next(call for call in graph.trace.calls if isinstance(call.operation, keras.Model))
    assert nested in parts.late


def test_a_skip_connection_crosses_the_frontier(graph):
    assert len(split(graph, [graph.groups["inner"]]).frontier) == 2


@pytest.mark.parametrize("name", ["stem", "inner", "nested_conv", "hidden"])
def test_both_halves_together_are_the_model(graph, name):
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    parts = split(graph, [graph.groups[name]])
    early = execute(parts.early, {id(graph.trace.flat_inputs[0]): images})
    crossing = {id(tensor): early[id(tensor)] for tensor in parts.frontier}
    late = execute(parts.late, crossing)
    np.testing.assert_allclose(
        late[id(graph.trace.flat_outputs[0])], graph.model(images, training=False), atol=1e-5
    )
