"""Budgets are met exactly, or it is said why not; what cannot be meant is refused."""

import re

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.budgets import Budget
from keras_prune.errors import ConfigError, ModelError, PlanError
from keras_prune.graph import ChannelGraph
from keras_prune.profiling import profile
from keras_prune.scores import ChannelScores
from keras_prune.surgery import prune_graph
from tests.budgets.networks import dense_graph, random_scores, residual_graph
from tests.networks import conv, head, image
from tests.networks.barriers import untraceable


def left(graph: ChannelGraph, budget: Budget, seed: int = 0) -> tuple[float, float]:
    """The fractions of MACs and parameters that the pruned model has."""
    pruned = prune_graph(graph, budget.allocate(graph, random_scores(graph, seed)))
    before, after = profile(graph.model).total, profile(pruned).total
    return after.macs / before.macs, after.parameters / before.parameters


@pytest.mark.parametrize("scope", ["global", "local"])
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_macs_and_parameters_are_hit(kept, scope):
    graph = residual_graph(64)
    assert 0.98 * kept <= left(graph, Budget(macs=kept, scope=scope))[0] <= kept
    assert 0.98 * kept <= left(graph, Budget(params=kept, scope=scope))[1] <= kept


def test_a_ratio_is_the_fraction_that_leaves():
    graph = dense_graph(a=30, b=70)
    plan = Budget(ratio=0.9).allocate(graph, random_scores(graph))
    assert sum(map(len, plan.kept.values())) == 10


def test_locally_each_group_loses_the_same_fraction():
    graph = dense_graph(a=10, b=20, c=40)
    plan = Budget(ratio=0.3, scope="local").allocate(graph, random_scores(graph))
    assert {name: len(kept) for name, kept in plan.kept.items()} == {"a": 7, "b": 14, "c": 28}


def test_a_channel_of_a_wide_group_counts_as_much_as_one_of_a_narrow_group():
    graph = dense_graph(a=4, b=64)
    scores = {"a": np.linspace(1, 2, 4), "b": np.linspace(1, 2, 64)}
    plan = Budget(ratio=0.5).allocate(graph, scores)
    assert {name: len(kept) for name, kept in plan.kept.items()} == {"a": 2, "b": 32}


def test_no_group_becomes_a_neck_unless_it_may():
    graph = dense_graph(a=20, b=20)
    scores = {"a": np.arange(1.0, 21), "b": np.append(np.zeros(19), 100.0)}
    plan = Budget(ratio=0.5).allocate(graph, scores)
    assert len(plan.kept["b"]) == 2
    assert len(Budget(ratio=0.5, max_ratio=1.0).allocate(graph, scores).kept["b"]) == 1


def test_groups_without_a_score_stay_whole_and_scores_of_another_model_are_refused():
    graph = dense_graph(a=4, b=4)
    scores = ChannelScores({"a": np.arange(4.0)}, unscored={"b": "no norm"})
    assert {n: len(k) for n, k in Budget(ratio=0.5).allocate(graph, scores).kept.items()} == {
        "a": 2, "b": 4,
    }  # fmt: skip
    other = ChannelScores({"a": np.arange(4.0)}, fingerprint="another")
    with pytest.raises(PlanError, match="made for another model .fingerprint another"):
        Budget(ratio=0.5).allocate(graph, other)


def test_a_global_ranking_compares_normalised_scores():
    graph = dense_graph(a=4, b=4)
    scores = {"a": np.array([4.0, 3, 2, 1]), "b": np.array([4000.0, 3000, 2000, 1000])}
    even = Budget(ratio=0.5).allocate(graph, scores)
    assert even.kept == {"a": (0, 1), "b": (0, 1)}
    uneven = Budget(ratio=0.375, normalize="none").allocate(graph, scores)
    assert uneven.kept == {"a": (0,), "b": (0, 1, 2, 3)}


def test_dear_channels_leave_first_where_macs_weigh():
    graph = dense_graph(a=4, b=40)  # a channel of a costs 50, one of b 6
    scores = {"a": np.ones(4), "b": np.ones(40)}
    plan = Budget(ratio=0.05, flops_weight=1, normalize="none").allocate(graph, scores)
    assert plan.kept["a"] == (0,)
    assert len(plan.kept["b"]) == 40


def test_excluded_channels_do_not_count_in_a_ratio():
    graph = dense_graph(a=10, b=20)
    plan = Budget(ratio=0.5, exclude=["b"]).allocate(graph, {"a": np.arange(10)})
    assert plan.kept == {"a": (5, 6, 7, 8, 9), "b": tuple(range(20))}


def test_kept_channels_are_multiples():
    graph = residual_graph(64)
    with pytest.warns(UserWarning, match="not used up.*round_to=8"):
        plan = Budget(macs=0.5, round_to=8).allocate(graph, random_scores(graph))
    assert all(len(kept) % 8 == 0 for kept in plan.kept.values())


def test_what_bounds_a_budget_is_named():
    graph = dense_graph(a=10, b=10)
    budget = Budget(macs=0.1, min_channels=5, exclude=["b"])
    with pytest.warns(UserWarning) as caught:
        plan = budget.allocate(graph, random_scores(graph))
    assert {name: len(kept) for name, kept in plan.kept.items()} == {"a": 5, "b": 10}
    assert str(caught[0].message) == (
        "The budget macs=0.1 cannot be met: the plan keeps 0.545 of the original (120 of 220 MACs),"
        " bound by min_channels=5, max_ratio=0.9, exclude=('b',) and the channels pinned by logits."
    )
    assert caught[0].filename == __file__


def test_a_budget_that_whole_channels_miss_says_so():
    with pytest.warns(UserWarning, match=r"macs=0.5 is not used up: the plan keeps 0.333"):
        Budget(macs=0.5).allocate(dense_graph(a=3), {"a": np.arange(3)})


def test_steps_lead_to_the_budget_and_count_from_the_original():
    graph = residual_graph(64)
    model = graph.model
    for step in Budget(macs=0.4).steps(3, graph):
        walked = ChannelGraph(model)
        model = prune_graph(walked, step.allocate(walked, random_scores(walked)))
        reached = profile(model).total.macs / profile(graph.model).total.macs
        assert 0.98 * step.macs <= reached <= step.macs
    assert step.macs == 0.4
    assert step.met_by(ChannelGraph(model))
    assert not step.met_by(graph)


def test_steps_of_a_local_ratio_count_from_the_original_channels():
    origin = dense_graph(a=10, b=20)
    first, last = Budget(ratio=0.5, scope="local").steps(2, origin)
    assert first.ratio == pytest.approx(1 - 0.5**0.5)
    small = dense_graph(a=7, b=14)
    plan = last.allocate(small, random_scores(small))
    assert {name: len(kept) for name, kept in plan.kept.items()} == {"a": 5, "b": 10}


@pytest.mark.parametrize("count", [0, 1.5, True])
def test_the_number_of_steps_is_checked(count):
    with pytest.raises(ConfigError, match="steps: expected a whole number from 1"):
        Budget(macs=0.5).steps(count, dense_graph(a=3))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Expected one budget of ratio, macs, params, latency. Received: none."),
        ({"macs": 0.5, "ratio": 0.2}, "Received: ratio=0.2, macs=0.5."),
        ({"macs": 0}, "macs: expected the fraction of MACs to keep, in (0, 1]. Received: 0."),
        ({"params": 1.5}, "params: expected the fraction of parameters to keep, in (0, 1]."),
        ({"params": True}, "Received: True"),
        ({"macs": float("nan")}, "Received: nan"),
        (
            {"ratio": 1},
            "ratio: expected the fraction of channels to remove, in [0, 1). Received: 1",
        ),
        ({"ratio": -0.1}, "ratio: "),
        ({"macs": "half"}, "Received: 'half'"),
        ({"latency": 0.5}, "latency and measure go together"),
        ({"macs": 0.5, "measure": len}, "latency and measure go together"),
        ({"macs": 0.5, "scope": "glob"}, "Unknown scope 'glob'. Did you mean 'global'?"),
        ({"macs": 0.5, "normalize": "l3"}, "Unknown normalisation 'l3'."),
        ({"macs": 0.5, "flops_weight": -1}, "flops_weight: expected a number from 0."),
    ],
)
def test_budgets_that_make_no_sense_are_errors(given, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        Budget(**given)


@pytest.mark.parametrize("budget", [Budget(macs=1), Budget(ratio=0), Budget(params=1.0)])
def test_a_budget_that_is_met_already_is_an_error(budget):
    graph = dense_graph(a=4)
    with pytest.raises(ConfigError, match="is met already and would change nothing: the model has"):
        budget.allocate(graph, random_scores(graph))


def test_the_error_for_a_met_budget_has_the_figures():
    small = dense_graph(a=4)
    budget = Budget(macs=0.5, origin=dense_graph(a=10))
    with pytest.raises(ConfigError, match=re.escape("0.400 of the original (48 of 120 MACs)")):
        budget.allocate(small, random_scores(small))


@pytest.mark.parametrize("limit", [{"exclude": ["*"]}, {"min_channels": 9}, {"round_to": 16}])
def test_limits_that_leave_nothing_to_remove_are_an_error(limit):
    graph = dense_graph(a=4, b=6)
    with pytest.raises(ConfigError, match=f"Nothing can be removed.*{next(iter(limit))}="):
        Budget(macs=0.5, **limit).allocate(graph, random_scores(graph))


def test_a_model_without_groups_is_an_error():
    with pytest.raises(ModelError, match="no prunable channels"):
        Budget(macs=0.5).allocate(dense_graph(), {})


def test_the_origin_must_be_that_of_the_model():
    graph = dense_graph(a=10)
    with pytest.raises(ConfigError, match="origin: .*lacks channels of group 'a'"):
        Budget(macs=0.5, origin=dense_graph(a=4)).allocate(graph, random_scores(graph))


def test_scores_are_checked():
    with pytest.raises(PlanError, match="Group 'a' has no scores"):
        Budget(macs=0.5).allocate(dense_graph(a=4), {})


def test_macs_of_unknown_size_cannot_be_budgeted_but_parameters_can():
    i = image(size=None)
    graph = ChannelGraph(keras.Model(i, head(kl.ReLU()(conv(200, "a")(i)))))
    with pytest.raises(ModelError, match="known size"):
        Budget(macs=0.5).allocate(graph, random_scores(graph))
    plan = Budget(params=0.5).allocate(graph, random_scores(graph))
    assert len(plan.kept["a"]) == 99


def test_scores_decide_and_equal_ones_keep_the_lower_index():
    graph = dense_graph(a=6)
    assert Budget(macs=0.5).allocate(graph, {"a": np.ones(6)}).kept == {"a": (0, 1, 2)}
    assert Budget(macs=0.5).allocate(graph, {"a": np.arange(6)}).kept == {"a": (3, 4, 5)}


def sequence_model(last, name="last"):
    """Two convolutions in front of what no channel leaves."""
    x = i = keras.Input((16, 4))
    for layer in ("a", "b"):
        x = kl.Conv1D(8, 3, padding="same", name=layer)(x)
    return keras.Model(i, last(x))


def test_a_budget_counts_what_no_channel_leaves():
    def last(x):
        return kl.SpectralNormalization(kl.Dense(32))(kl.SpectralNormalization(kl.Dense(64))(x))

    graph = ChannelGraph(sequence_model(last))
    whole = 16 * (3 * 4 * 8 + 3 * 8 * 8 + 8 * 64 + 64 * 32)
    left = whole - 16 * (3 * 4 * 7 + 3 * (8 * 8 - 8))  # "a" keeps one channel, "b" all
    assert profile(graph.model).total.macs == whole
    with pytest.warns(UserWarning, match=rf"cannot be met: .* \({left:,} of {whole:,} MACs\)"):
        Budget(macs=0.5).allocate(graph, random_scores(graph))
    with pytest.raises(
        ConfigError, match=f"no further than macs={np.ceil(1e3 * left / whole) / 1e3:g}"
    ):
        Budget(macs=0.5).require_reachable(graph)


class Own(kl.Dense):
    def call(self, x):
        return super().call(x) * 2


def test_a_budget_says_what_it_cannot_count():
    graph = ChannelGraph(sequence_model(kl.Lambda(untraceable, name="square")))
    with pytest.warns(UserWarning) as caught:
        plan = Budget(macs=0.75).allocate(graph, random_scores(graph))
    assert len(plan.kept["a"]) == 6
    assert str(caught[0].message) == (
        "The budget macs=0.75 leaves out what cannot be counted: 'square' (no rule for the layer "
        "Lambda). So more of the model's work stays than it says. Give params or ratio, or "
        "register a rule that counts them."
    )
    assert (caught[0].filename, len(caught)) == (__file__, 1)
    most = ChannelGraph(sequence_model(Own(64, name="own")))
    for refused in (Budget(macs=0.5).check, Budget(macs=0.5).furthest):
        with pytest.raises(
            ConfigError, match="most of .* 'own' .Own overrides .*65 % of the param"
        ):
            refused(most)
    Budget(params=0.9).check(most)
