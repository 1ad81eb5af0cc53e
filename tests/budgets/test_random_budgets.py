"""Random budgets on random networks: met, used up, and within all limits."""

import warnings

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keras_prune.budgets import Budget
from keras_prune.budgets.limits import Limits
from keras_prune.graph import ChannelGraph, CutCosts
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.surgery import prune_graph
from tests.budgets.networks import random_scores
from tests.surgery.test_random_networks import FAST, Builder

FRACTIONS = st.floats(0.05, 0.95)


def budgets(data: st.DataObject, graph: ChannelGraph) -> Budget:
    names = st.lists(st.sampled_from(list(graph.groups)), max_size=2)
    kind = data.draw(st.sampled_from(["macs", "params", "ratio"]))
    return Budget(
        **{kind: data.draw(FRACTIONS)},
        scope=data.draw(st.sampled_from(["global", "local"])),
        normalize=data.draw(st.sampled_from(["l2", "mean", "max", "none"])),
        flops_weight=data.draw(st.sampled_from([0, 0.1])),
        min_channels=data.draw(st.integers(1, 3)),
        max_ratio=data.draw(st.sampled_from([0.5, 1])),
        exclude=data.draw(names),
        round_to=data.draw(st.sampled_from([1, 2])),
    )


def cost(budget: Budget, graph: ChannelGraph, plan: PruningPlan) -> int:
    """What the budget counts, on the pruned model."""
    if budget.kind == "ratio":
        return sum(len(c) for name, c in plan.kept.items() if name not in budget.exclude)
    total = profile(prune_graph(graph, plan)).total
    return total.macs if budget.kind == "macs" else total.parameters


def masks(graph: ChannelGraph, plan: PruningPlan) -> dict[str, np.ndarray]:
    return {n: np.isin(np.arange(g.channels), plan.kept[n]) for n, g in graph.groups.items()}


def assert_within_limits(budget: Budget, graph: ChannelGraph, plan: PruningPlan) -> None:
    for name, kept in plan.kept.items():
        channels = graph.groups[name].channels
        if len(kept) < channels:
            assert name not in budget.exclude
            assert len(kept) >= budget.min_channels
            assert len(kept) % budget.round_to == 0
            assert plan.ratio(name) <= budget.max_ratio


def assert_the_best_stay(graph: ChannelGraph, plan: PruningPlan, scores) -> None:
    for name, mask in masks(graph, plan).items():
        assert mask.all() or scores[name][mask].min() >= scores[name][~mask].max()


def assert_nothing_more_fits(budget, graph, plan, scores, limit) -> None:
    costs = CutCosts(graph)
    count = costs.macs if budget.kind == "macs" else costs.parameters
    for name, mask in masks(graph, plan).items():
        kept, channels = len(plan.kept[name]), graph.groups[name].channels
        more = min(kept + budget.round_to, channels)
        best = np.isin(np.arange(channels), np.argsort(-scores[name], kind="stable")[:more])
        assert mask.all() or count({**masks(graph, plan), name: best}) > limit


@settings(FAST, max_examples=12)
@given(st.data())
def test_a_plan_fits_its_budget(data):
    graph = ChannelGraph(Builder(data).model(data.draw(st.integers(1, 6))))
    assume(graph.groups)
    budget = budgets(data, graph)
    levels = Limits.of(budget).levels(graph, graph)
    assume(any(len(counts) > 1 for counts in levels.values()))
    scores = random_scores(graph, data.draw(st.integers(0, 9)))
    whole = PruningPlan.from_masks(graph, {n: np.ones(len(s)) for n, s in scores.items()})
    limit = budget.kept * cost(budget, graph, whole)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plan = budget.allocate(graph, scores)
    said = " ".join(str(warning.message) for warning in caught)
    left = cost(budget, graph, plan)
    assert_within_limits(budget, graph, plan)
    assert_the_best_stay(graph, plan, scores)
    assert left <= limit or "cannot be met" in said
    assert left >= 0.98 * np.floor(limit) or "not used up" in said
    if "not used up" in said and budget.scope == "global" and budget.kind != "ratio":
        assert_nothing_more_fits(budget, graph, plan, scores, limit)
