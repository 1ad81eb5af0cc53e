"""Score, cut, recover, and again until the budget is reached."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import keras

from keras_prune.budgets import Budget
from keras_prune.criteria import Scores
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.surgery import prune_graph

Row = dict[str, float]


@dataclass
class Steps:
    """What the steps so far have come to.

    Args:
        model: the pruned model.
        plan: the plan that leads to it from the original.
        history: one row of figures per step.
        notes: why the last cut is not what the budget asked for, if it is not.
    """

    model: keras.Model
    plan: PruningPlan
    history: list[Row] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def prune_in_steps(
    model: keras.Model,
    budget: Budget,
    steps: int,
    *,
    score: Callable[[ChannelGraph], Scores],
    recover: Callable[[keras.Model, str], None],
    on_step: Callable[[Steps], None] = lambda done: None,
) -> Steps:
    """Prunes a model to a budget (Molchanov et al., 2017, section 2).

    Args:
        model: the model; it is not changed.
        budget: how much of it may stay in the end.
        steps: how often the channels are scored anew and cut.
        score: gives each channel of a graph a score, higher = keep.
        recover: fine-tunes a model in place; called with it and the step's name between two steps.
        on_step: called after every step, for example to save what there is.

    Returns:
        The pruned model, not yet fine-tuned after the last cut, and the plan that leads to it.

    Raises:
        KerasPruneError: the budget is met already or cannot be allocated.
    """
    original = ChannelGraph(model)
    done = Steps(model, PruningPlan.for_graph(original, {}))
    for number, step in enumerate(budget.steps(steps, original), 1):
        graph = ChannelGraph(done.model)
        if done.plan.kept and step.met_by(graph):  # whole channels went further than asked
            continue
        if done.plan.kept:
            recover(done.model, f"recover {number - 1}/{steps}")
        cut, done.notes = _allocated(step, graph, score(graph))
        done.model, done.plan = prune_graph(graph, cut), done.plan.then(cut)
        done.history.append(_row(number, done))
        on_step(done)
    return done


def _allocated(
    budget: Budget, graph: ChannelGraph, scores: Scores
) -> tuple[PruningPlan, tuple[str, ...]]:
    """The cut, and what the budget says about it: only after the last step it matters."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        return budget.allocate(graph, scores), tuple(str(warning.message) for warning in told)


def _row(number: int, done: Steps) -> Row:
    cost = profile(done.model).total
    channels = sum(
        len(done.plan.kept.get(name, range(count))) for name, count in done.plan.channels.items()
    )
    return {
        "step": number,
        "channels": channels,
        "parameters": cost.parameters,
        "macs": cost.macs,
    }
