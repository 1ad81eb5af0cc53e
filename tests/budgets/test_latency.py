"""A latency is measured on pruned models, a few of them."""

import numpy as np
import pytest

from keras_prune.budgets import Budget
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from keras_prune.profiling import profile
from keras_prune.surgery import prune_graph
from tests.budgets.networks import dense_graph, random_scores, residual_graph


class Clock:
    """A machine that takes a fixed time, and some for each multiplication."""

    def __init__(self, overhead: float = 0.0) -> None:
        self.overhead = overhead
        self.measured: list[int] = []

    def __call__(self, model) -> float:
        macs = profile(model).total.macs
        self.measured.append(macs)
        return self.overhead + macs * 1e-9


def seconds(clock: Clock, graph: ChannelGraph) -> float:
    return clock.overhead + profile(graph.model).total.macs * 1e-9


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_latency_is_hit_in_few_measurements(share):
    graph = residual_graph(64)
    clock = Clock(overhead=share * seconds(Clock(), graph))
    plan = Budget(latency=0.6, measure=clock).allocate(graph, random_scores(graph))
    assert len(set(clock.measured)) <= 1 + 8
    pruned = ChannelGraph(prune_graph(graph, plan))
    assert 0.98 * 0.6 <= seconds(clock, pruned) / seconds(clock, graph) <= 0.6


def test_the_original_is_measured_in_turns_with_the_pruned_model():
    graph = dense_graph(a=100)
    clock = Clock()
    Budget(latency=0.5, measure=clock).allocate(graph, random_scores(graph))
    assert clock.measured[::2] == [1200] * 3
    assert clock.measured[1::2] == [600] * 3


def test_a_latency_out_of_reach_gives_the_fastest_plan_and_a_warning():
    graph = residual_graph(8)
    clock = Clock(overhead=9 * seconds(Clock(), graph))
    with pytest.warns(UserWarning, match=r"latency=0.5 cannot be met: the plan keeps 0\.9"):
        plan = Budget(latency=0.5, measure=clock).allocate(graph, random_scores(graph))
    assert [len(kept) for kept in plan.kept.values()] == [1, 1]


def test_a_latency_that_whole_channels_miss_is_told():
    graph = dense_graph(a=3)
    clock = Clock()
    with pytest.warns(UserWarning, match="latency=0.5 is not used up: the plan keeps 0.333"):
        Budget(latency=0.5, measure=clock).allocate(graph, {"a": np.arange(3)})
    assert len(clock.measured) < 2 * 3 * 8  # once nothing lies between it is no use to go on


def test_a_latency_counts_from_the_original():
    origin, small = dense_graph(a=100), dense_graph(a=80)
    budget = Budget(latency=0.5, measure=Clock(), origin=origin)
    assert len(budget.allocate(small, random_scores(small)).kept["a"]) == 50
    assert not budget.met_by(small)
    assert budget.met_by(dense_graph(a=50))


def test_a_latency_that_is_met_already_is_an_error():
    graph = dense_graph(a=10)
    for budget in (
        Budget(latency=1.0, measure=Clock()),
        Budget(latency=0.7, measure=Clock(), origin=dense_graph(a=20)),
    ):
        with pytest.raises(ConfigError, match="met already.* of the original's latency"):
            budget.allocate(graph, random_scores(graph))


def test_what_is_no_time_is_an_error():
    graph = dense_graph(a=10)
    with pytest.raises(ConfigError, match="measure: expected seconds above 0. Received: 0"):
        Budget(latency=0.5, measure=lambda model: 0).allocate(graph, random_scores(graph))
