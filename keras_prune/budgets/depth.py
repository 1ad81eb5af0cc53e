"""How many residual blocks leave beside channels: as many as the measured value says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keras_prune.budgets.limits import Limits
from keras_prune.graph import ChannelGraph, CutCosts
from keras_prune.plan import PruningPlan

if TYPE_CHECKING:
    from keras_prune.budgets.budget import Budget

Value = Callable[[PruningPlan], float]
"""What the network that a plan leaves is worth; higher = better."""


@dataclass(frozen=True)
class Candidate:
    """A plan and what it uses of a budget.

    Args:
        plan: the plan.
        used: what it leaves, as a fraction of what the budget admits.
        left: what it leaves, for messages.
    """

    plan: PruningPlan
    used: float
    left: str


def best_depth(
    budget: Budget,
    graph: ChannelGraph,
    plan_without: Callable[[Sequence[str]], Candidate],
    value: Value,
) -> Candidate:
    """The candidate of the highest value that a budget admits.

    Blocks are put in the order of the value that each costs alone, by the work or weights it saves.
    From none on, one block more leaves from candidate to candidate, and channels make up the rest,
    until blocks alone are enough. Of equal values the one with more blocks left is taken.

    Args:
        budget: what says how much may stay.
        graph: the graph of the model to prune.
        plan_without: makes the candidate that drops some blocks.
        value: measures a plan.
    """
    order = _by_cost(budget, graph, value)
    candidates = [plan_without(())]
    for count in range(1, len(order) + 1):
        if _is_within(order[count - 1], order[: count - 1], graph):
            continue
        candidates.append(plan_without(order[:count]))
        if not candidates[-1].plan.drops_channels:
            break
    admitted = [each for each in candidates if each.used <= 1]
    if not admitted:
        return min(candidates, key=lambda each: each.used)
    return max(admitted, key=lambda each: value(each.plan))


def _by_cost(budget: Budget, graph: ChannelGraph, value: Value) -> list[str]:
    """The blocks that may leave, the one first that costs the least value for what it saves."""
    names = Limits.of(budget).blocks(graph)
    whole, cost_of_all = value(PruningPlan.for_graph(graph, {})), _left(budget, graph, ())

    def cost(name: str) -> tuple[float, int]:
        drop = whole - value(PruningPlan.for_graph(graph, {}, [name]))
        saved = cost_of_all - _left(budget, graph, (name,))
        return drop / max(saved, 1) if drop > 0 else drop, -saved

    return sorted(names, key=cost)


def _left(budget: Budget, graph: ChannelGraph, without: Sequence[str]) -> int:
    costs = CutCosts(graph, [graph.blocks[name] for name in without])
    return costs.macs({}) if budget.kind == "macs" else costs.parameters({})


def _is_within(name: str, others: Sequence[str], graph: ChannelGraph) -> bool:
    """Whether a block leaves with another one, which is around it."""
    join = graph.blocks[name].join
    return any(call is join for other in others for call in graph.blocks[other].calls)
