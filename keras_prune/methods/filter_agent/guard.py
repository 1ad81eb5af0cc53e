"""`b` is a promise: a plan that costs more accuracy than that is backed off."""

from collections.abc import Callable, Mapping

import keras
import numpy as np

from keras_prune.graph import ChannelGraph
from keras_prune.methods.outcome import Outcome
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune_graph

_ATTEMPTS = 3  # each gives back half of what is still removed: after three an eighth is


def keep_promise(
    original: keras.Model,
    pruned: keras.Model,
    plan: PruningPlan,
    log_odds: Mapping[str, np.ndarray],
    *,
    baseline: float,
    b: float,
    finetune: Callable[[keras.Model], None],
    accuracy: Callable[[keras.Model], float],
) -> Outcome:
    """Fine-tunes a pruned model and, while it is too inaccurate, a less pruned one.

    Args:
        original: the model the plan was made for.
        pruned: the model the plan led to; trained in place.
        plan: the plan.
        log_odds: which channels of a group return first: the highest of what is left.
        baseline: validation accuracy that `b` is counted from, in percent.
        b: tolerated drop, in percentage points.
        finetune: trains a model in place.
        accuracy: measures a model's validation accuracy, in percent.
    """
    graph = ChannelGraph(original)
    notes: list[str] = []
    for _ in range(_ATTEMPTS):
        finetune(pruned)
        reached = accuracy(pruned)
        if baseline - reached <= b:
            return Outcome(pruned, plan, reached, tuple(notes))
        notes.append(
            f"The plan cost {baseline - reached:.2f} points of validation accuracy after "
            f"fine-tuning, more than b = {b:g}: every group got back half of what it had lost."
        )
        plan = back_off(plan, log_odds)
        pruned = prune_graph(graph, plan)
    notes.append("No plan kept to b: nothing was pruned. Raise --b or fine-tune longer.")
    return Outcome(original, PruningPlan.for_graph(graph, {}), baseline, tuple(notes))


def back_off(plan: PruningPlan, log_odds: Mapping[str, np.ndarray]) -> PruningPlan:
    """The plan with half of each group's dropped channels, rounded up, kept after all."""
    kept = {}
    for name, channels in plan.kept.items():
        dropped = sorted(set(range(plan.channels[name])) - set(channels))
        dropped.sort(key=lambda channel, odds=log_odds[name]: -odds[channel])  # type: ignore[misc]
        kept[name] = tuple(sorted([*channels, *dropped[: (len(dropped) + 1) // 2]]))
    return PruningPlan(kept, plan.fingerprint, plan.channels)
