"""`b` is a promise: a plan that costs more than that is backed off."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
import numpy as np

from keras_prune.graph import ChannelGraph
from keras_prune.methods.state import Pruned
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune_graph
from keras_prune.training.objective import Objective

_ATTEMPTS = 3  # each gives back half of what is still removed: after three an eighth is


def fine_tuned_within(
    b: float,
    graph: ChannelGraph,
    pruned: keras.Model,
    plan: PruningPlan,
    log_odds: Mapping[str, np.ndarray],
    *,
    objective: Objective,
    baseline: float,
    finetune: Callable[[keras.Model], None],
    value: Callable[[keras.Model], float],
) -> tuple[Pruned | None, tuple[str, ...]]:
    """Fine-tunes a pruned model and, while it costs too much, a less pruned one.

    Args:
        b: tolerated drop of the objective, in its own units.
        graph: the model the plan was made for.
        pruned: the model the plan led to; trained in place.
        plan: the plan.
        log_odds: which channels of a group return first: the highest of what is left.
        objective: what models are judged by.
        baseline: the value that `b` is counted from.
        finetune: trains a model in place.
        value: measures a model on the validation data.

    Returns:
        What kept to `b`, or None, and what the reader of a report should know.
    """
    notes: list[str] = []
    for _ in range(_ATTEMPTS):
        finetune(pruned)
        reached = value(pruned)
        drop = objective.drop(baseline, reached)
        if drop <= b:
            return Pruned(pruned, plan, reached), tuple(notes)
        notes.append(
            f"The plan cost {drop:.4g} {objective.points} of validation {objective.metric} after "
            f"fine-tuning, more than b = {b:g}: every group got back half of what it had lost."
        )
        plan = back_off(plan, log_odds)
        pruned = prune_graph(graph, plan)
    notes.append(
        "No plan of a round kept to b: nothing was pruned in it. Raise b or fine-tune longer."
    )
    return None, tuple(notes)


def back_off(plan: PruningPlan, log_odds: Mapping[str, np.ndarray]) -> PruningPlan:
    """The plan with half of each group's dropped channels, rounded up, kept after all."""
    kept = {}
    for name, channels in plan.kept.items():
        dropped = sorted(set(range(plan.channels[name])) - set(channels))
        dropped.sort(key=lambda channel, odds=log_odds[name]: -odds[channel])  # type: ignore[misc]
        kept[name] = tuple(sorted([*channels, *dropped[: (len(dropped) + 1) // 2]]))
    return PruningPlan(kept, plan.fingerprint, plan.channels)
