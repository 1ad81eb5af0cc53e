"""Scores + budget -> plan."""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_prune.budgets.channel_order import TOLERANCE, ChannelOrder, Cost, largest_within
from keras_prune.budgets.depth import Candidate, Value, best_depth
from keras_prune.budgets.isomorphic import kind_of
from keras_prune.budgets.latency import fastest_within, share_of
from keras_prune.budgets.limits import SLACK, Limits, bound, keep_all
from keras_prune.budgets.scores import Scores, checked, normalized, regularized
from keras_prune.errors import ConfigError, reasons
from keras_prune.graph import ChannelGraph, CutCosts
from keras_prune.graph.blocks import left_with
from keras_prune.graph.cut_costs import Masks
from keras_prune.plan import PruningPlan
from keras_prune.scores import ChannelScores

if TYPE_CHECKING:
    from keras_prune.budgets.budget import Budget


@dataclass(frozen=True)
class _Count:
    """What a budget counts.

    Args:
        unit: what is counted.
        cost: how many of them a cut of the graph leaves.
        whole: how many the original has.
        left_out: what cannot be counted, by name, and why.
    """

    unit: str
    cost: Cost
    whole: int
    left_out: Mapping[str, str] = field(default_factory=dict)

    def limit(self, kept: float) -> int:
        """The most that a fraction of the original admits."""
        return math.floor(kept * self.whole + SLACK)

    def describe(self, left: int) -> str:
        """A number and what it is a fraction of."""
        share = left / self.whole if self.whole else 1
        return f"{share:.3f} of the original ({left:,} of {self.whole:,} {self.unit})"


def allocate(
    budget: Budget, graph: ChannelGraph, scores: Scores, value: Value | None
) -> PruningPlan:
    """See `Budget.allocate`."""
    asked = budget
    if isinstance(scores, ChannelScores):
        scores.check(graph.fingerprint, graph.model.name)
        require_scored(budget, graph, scores.unscored)
        budget = replace(budget, exclude=(*budget.exclude, *scores.unscored))
    levels = _levels(budget, graph)
    finite = checked(graph, scores, Limits.of(budget).excluded(graph))
    ranked = regularized(graph, normalized(finite, budget.normalize), budget.flops_weight)
    groups = _origin(budget, graph).groups
    before = {name: groups[name].channels for name in graph.groups}
    order = ChannelOrder(ranked, levels, before, budget.scope, lambda n: kind_of(graph.groups[n]))
    if budget.kind == "ratios":
        return PruningPlan.from_masks(graph, order.masks(order.levels_after(0)))
    if budget.latency is not None:
        found = _timed(budget, graph, order)
    else:
        _tell_left_out(budget, _unmet(budget, graph))
        plan_without = partial(_counted, budget, graph, order)
        found = best_depth(asked, graph, plan_without, value) if value else plan_without(())
    _tell(budget, graph, found)
    return found.plan


def check(budget: Budget, graph: ChannelGraph) -> None:
    """See `Budget.check`."""
    _levels(budget, graph)
    if budget.kind not in ("latency", "ratios"):
        _unmet(budget, graph)


def is_met(budget: Budget, graph: ChannelGraph) -> bool:
    """See `Budget.met_by`."""
    if budget.latency is not None:
        return _share(budget, graph, graph.model) <= budget.latency
    if budget.kind != "ratios":
        count = _count(budget.kind, budget, graph)
        if count.cost({}) > count.limit(budget.kept):
            return False
    levels = Limits.of(budget).levels(graph, _origin(budget, graph)) if budget.ratios else {}
    return all(counts[-1] == graph.groups[name].channels for name, counts in levels.items())


def require_scored(budget: Budget, graph: ChannelGraph, unscored: Mapping[str, str]) -> None:
    """See `Budget.require_scored`."""
    for name, pattern in Limits.of(budget).fixed(graph).items():
        if name in unscored:
            raise ConfigError(
                f"Group {name!r} is to lose {budget.ratios[pattern]:g} of its channels by ratios, "
                f"and has no scores: {unscored[name]}. Use another criterion, such as 'l1'."
            )


def furthest(budget: Budget, graph: ChannelGraph) -> float:
    """See `Budget.furthest`."""
    if budget.kind in ("latency", "ratios"):
        raise ConfigError(f"A budget of {budget.kind} is not counted. Give macs, params or ratio.")
    levels = Limits.of(budget).levels(graph, _origin(budget, graph))
    least = {
        name: np.arange(group.channels) < levels[name][0] for name, group in graph.groups.items()
    }
    blocks = Limits.of(budget).blocks(graph) if budget.depth else ()
    count = _count(budget.kind, budget, graph, blocks)
    return count.cost(least) / count.whole


def require_reachable(budget: Budget, graph: ChannelGraph) -> None:
    """See `Budget.require_reachable`."""
    if budget.kind == "ratios":
        return
    least = furthest(budget, graph)
    if least > budget.kept:
        raise ConfigError(
            f"The budget {budget} cannot be met: {bound(budget, graph)} let the model go no "
            f"further than {budget.kind}={_askable(budget, least)}."
        )


def _askable(budget: Budget, least: float) -> str:
    """The fraction that can just be asked for, rounded to the side that can be met."""
    if budget.ratio is not None:
        return f"{math.floor((1 - least) * 1000) / 1000:g}"
    return f"{math.ceil(least * 1000) / 1000:g}"


def _counted(
    budget: Budget, graph: ChannelGraph, order: ChannelOrder, without: Sequence[str]
) -> Candidate:
    """The plan for a budget that is counted, once some residual blocks have left."""
    count = _count(budget.kind, budget, graph, without)
    limit = count.limit(budget.kept)
    if budget.scope == "local" and budget.ratio is not None and not budget.ratios:
        levels = order.levels_after(order.steps_within(budget.kept + SLACK))
    else:
        levels = largest_within(order, count.cost, limit, spread=budget.scope != "local")
    masks = order.masks(levels)
    masks |= {name: np.ones_like(masks[name]) for name in left_with(graph, without)}
    left = count.cost(masks)
    plan = PruningPlan.from_masks(graph, masks, without)
    return Candidate(plan, left / limit if limit else math.inf, count.describe(left))


def _timed(budget: Budget, graph: ChannelGraph, order: ChannelOrder) -> Candidate:
    """The plan for a budget that is measured."""
    share = partial(_share, budget, graph)
    now = share(graph.model) if budget.origin else 1.0
    if now <= budget.kept:
        raise _met(budget, f"{now:.3f} of the original's latency")
    count = _count("macs", budget, graph)

    def plan_for(macs: float) -> PruningPlan:
        limit, spread = count.limit(macs), budget.scope != "local"
        return PruningPlan.from_masks(
            graph, order.masks(largest_within(order, count.cost, limit, spread))
        )

    plan, left = fastest_within(budget.kept, count.cost({}) / count.whole, plan_for, graph, share)
    told = f"{left:.3f} of the original's latency, as measured"
    return Candidate(plan, left / budget.kept, told)


def _levels(budget: Budget, graph: ChannelGraph) -> dict[str, np.ndarray]:
    """The numbers of channels each group may keep."""
    graph.require_groups()
    limits = Limits.of(budget)
    levels = limits.levels(graph, _origin(budget, graph))
    if keep_all(levels, graph):
        raise ConfigError(
            f"Nothing can be removed from model {graph.model.name!r}: {limits} keeps every group "
            "whole. Relax the limits."
        )
    return levels


def _unmet(budget: Budget, graph: ChannelGraph) -> _Count:
    """What the budget counts, of which a graph has too much."""
    count = _count(budget.kind, budget, graph)
    if count.cost({}) <= count.limit(budget.kept) and not budget.ratios:
        raise _met(budget, count.describe(count.cost({})))
    return count


def _share(budget: Budget, graph: ChannelGraph, model: keras.Model) -> float:
    """A model's latency as a fraction of the original's."""
    assert budget.measure is not None  # given with a latency
    return share_of(budget.measure, model, _origin(budget, graph).model)


def _count(kind: str, budget: Budget, graph: ChannelGraph, without: Sequence[str] = ()) -> _Count:
    """What a kind of budget counts on a graph, some residual blocks left out."""
    origin = _origin(budget, graph)
    if kind == "ratio":
        names = graph.groups.keys() - Limits.of(budget).excluded(graph)
        whole = sum(origin.groups[name].channels for name in names)
        return _Count("channels", partial(_channels, graph, names), whole)
    costs = CutCosts(graph, [graph.blocks[name] for name in without])
    before = costs if origin is graph and not without else CutCosts(origin)
    if kind == "macs":
        if not without:
            _require_counted(budget, graph, costs)
        return _Count("MACs", costs.macs, before.macs({}), costs.uncounted)
    return _Count("parameters", costs.parameters, before.parameters({}))


def _require_counted(budget: Budget, graph: ChannelGraph, costs: CutCosts) -> None:
    """Refuses to count the MACs of a model of which most cannot be counted."""
    missed, whole = costs.uncounted_parameters, costs.parameters({})
    if costs.macs({}) and 2 * missed <= whole:
        return
    share = 100 * missed / whole if whole else 0
    raise ConfigError(
        f"The budget {budget} needs MACs, and most of model {graph.model.name!r} cannot be "
        f"counted: {reasons(costs.uncounted) or 'no layer multiplies'}, with {share:.0f} % of the "
        "parameters. Give params or ratio, or register a rule that counts them."
    )


def _tell_left_out(budget: Budget, count: _Count) -> None:
    """Warns where the model does more than a budget counts."""
    if count.left_out:
        warnings.warn(
            f"The budget {budget} leaves out what cannot be counted: {reasons(count.left_out)}. So "
            "more of the model's work stays than it says. Give params or ratio, or register a rule "
            "that counts them.",
            stacklevel=4,
        )


def _channels(graph: ChannelGraph, names: Collection[str], masks: Masks) -> int:
    """How many channels of some groups stay."""
    return sum(int(masks[n].sum()) if n in masks else graph.groups[n].channels for n in names)


def _origin(budget: Budget, graph: ChannelGraph) -> ChannelGraph:
    """The graph of the original, whose groups are those of the graph with as many channels or more.

    Raises:
        ConfigError: it is that of another model.
    """
    origin = budget.origin or graph
    for name, group in graph.groups.items():
        if name not in origin.groups or origin.groups[name].channels < group.channels:
            raise ConfigError(
                f"origin: expected the graph of the model that {graph.model.name!r} was pruned "
                f"from. Received: that of {origin.model.name!r}, which lacks channels of group "
                f"{name!r}."
            )
    return origin


def _met(budget: Budget, left: str) -> ConfigError:
    more = "larger" if budget.ratio is not None else "smaller"
    return ConfigError(
        f"The budget {budget} is met already and would change nothing: the model has {left}. "
        f"Give a {more} fraction."
    )


def _tell(budget: Budget, graph: ChannelGraph, found: Candidate) -> None:
    """Warns where a budget is exceeded, or part of it is left over."""
    blocks = f", without the blocks {', '.join(found.plan.blocks)}" if found.plan.blocks else ""
    if found.used > 1:
        message = (
            f"The budget {budget} cannot be met: the plan keeps {found.left}, bound by "
            f"{bound(budget, graph)}."
        )
    elif found.used < 1 - TOLERANCE:
        message = (
            f"The budget {budget} is not used up: the plan keeps {found.left}. No nearer plan was "
            f"found with scope={budget.scope!r}, {Limits.of(budget)}{blocks}."
        )
    else:
        return
    warnings.warn(message, stacklevel=4)
