"""Groups that lose a fraction of their own."""

import numpy as np
import pytest

from keras_prune.budgets import Budget
from keras_prune.criteria import BNScale
from keras_prune.errors import ConfigError
from tests.budgets.networks import dense_graph, random_scores, residual_graph


def kept(graph, **budget):
    plan = Budget(**budget).allocate(graph, random_scores(graph))
    return {name: len(channels) for name, channels in plan.kept.items()}


def test_alone_the_other_groups_stay_whole():
    graph = dense_graph(a=10, b=20, c=8)
    assert kept(graph, ratios={"a": 0.25, "[bx]": 0.5}) == {"a": 7, "b": 10, "c": 8}


def test_the_best_channels_stay():
    graph = dense_graph(a=4)
    plan = Budget(ratios={"a": 0.5}).allocate(graph, {"a": np.array([3.0, 1, 4, 2])})
    assert plan.kept == {"a": (0, 2)}


def test_a_layer_that_carries_a_groups_channels_names_it():
    assert kept(residual_graph(), ratios={"norm": 0.5}) == {"stem": 32, "inner": 16}


def test_with_another_budget_that_is_met_by_the_others():
    graph = dense_graph(a=40, b=40, c=40)
    whole = kept(graph, ratio=0.5, ratios={"b": 0.1})
    assert whole["b"] == 36 and sum(whole.values()) == 60


def test_numbers_that_are_rounded():
    assert kept(dense_graph(a=20), ratios={"a": 0.3}, round_to=8) == {"a": 8}
    assert kept(dense_graph(a=20, b=4), ratios={"b": 0.9}, ratio=0.5)["b"] == 1


def test_a_local_ratio_is_met_by_the_other_groups():
    found = kept(dense_graph(a=20, b=20), ratio=0.4, ratios={"a": 0.0}, scope="local")
    assert found == {"a": 20, "b": 4}


def test_a_budget_that_the_ratios_meet_takes_nothing_from_the_others():
    with pytest.warns(UserWarning, match="is not used up"):
        found = kept(dense_graph(a=20, b=20), macs=1.0, ratios={"a": 0.5})
    assert found == {"a": 10, "b": 20}


def test_what_can_be_reached_is_no_matter():
    graph = dense_graph(a=10, b=20)
    Budget(ratios={"a": 0.9}).require_reachable(graph)
    with pytest.raises(ConfigError, match="ratios is not counted"):
        Budget(ratios={"a": 0.9}).furthest(graph)


def test_a_group_without_scores_cannot_lose_a_fraction():
    graph = residual_graph()
    scores = BNScale()(graph)
    with pytest.raises(ConfigError, match="'stem' is to lose 0.5 .* has no scores: its channels"):
        Budget(ratios={"stem": 0.5}).allocate(graph, scores)
    assert len(Budget(ratios={"inner": 0.5}).allocate(graph, scores).kept["inner"]) == 16


def test_a_budget_can_be_a_key():
    assert len({Budget(macs=0.5), Budget(macs=0.5), Budget(macs=0.4)}) == 2


def test_steps_lead_there():
    graph = dense_graph(a=100, b=10)
    budget = Budget(ratios={"a": 0.75})
    first, last = budget.steps(2, graph)
    half = first.allocate(graph, random_scores(graph))
    assert len(half.kept["a"]) == 50 and not last.met_by(graph)
    assert len(last.allocate(graph, random_scores(graph)).kept["a"]) == 25
    assert last.met_by(dense_graph(a=25, b=10))


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ({"ratios": {"conv*": 0.5}}, "layer or group to prune by a ratio 'conv\\*'"),
        ({"ratios": {"a": 1.0}}, r"'a' is to lose, in \[0, 1\). Received: 1.0"),
        ({"ratios": {"a": True}}, "Received: True"),
        ({"ratios": 0.5}, "expected a dict of patterns"),
        ({"ratios": {}}, "Expected one budget"),
        ({"ratios": {"a": 0.95}}, "ratios and max_ratio contradict: 'a'"),
        ({"ratios": {"a": 0.5, "[ab]": 0.25}}, "0.5 of its channels by 'a', and 0.25 by"),
        ({"ratios": {"a": 0.5}, "exclude": ["a"]}, "ratios and exclude contradict: group 'a'"),
        ({"ratios": {"a": 0.5}, "min_channels": 8}, "ratios and min_channels=8.* contradict"),
        ({"ratios": {"a": 0.0}}, "Nothing can be removed"),
        ({"ratios": {"logits": 0.5}}, "'logits' is to lose 0.5 of its channels, and they all stay"),
    ],
)
def test_what_contradicts_is_named(budget, message):
    with pytest.raises(ConfigError, match=message) as caught:
        kept(dense_graph(a=10, b=20), **budget)
    assert "\n" not in str(caught.value)
