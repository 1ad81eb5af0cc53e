"""What the owner of a pruned network must be warned of: that little or nothing is left of it."""

from __future__ import annotations

from keras_prune.plan import PruningPlan
from keras_prune.training.chance import is_chance
from keras_prune.training.objective import Objective

DROP = 5.0
"""Percentage points of an accuracy that are worth a warning."""

_SHARE = 0.1
_NAMED = 5


def verdict(
    objective: Objective, before: float, after: float, classes: int | None, plan: PruningPlan
) -> tuple[str, ...]:
    """What is wrong with a pruned network, in sentences; none where nothing is.

    Args:
        objective: what it is judged by.
        before: the value of the original network.
        after: that of the pruned one, on the same data.
        classes: how many there are, if the objective is an accuracy of classes.
        plan: what stayed.
    """
    return tuple(filter(None, (_loss(objective, before, after, classes), _thin_groups(plan))))


def _loss(objective: Objective, before: float, after: float, classes: int | None) -> str | None:
    name, values = objective.metric, f"{after:.2f} %, and was {before:.2f} %"
    if classes and is_chance(after, classes) and not is_chance(before, classes):
        return (
            f"The network is destroyed: its {name} is {values}, where guessing one of {classes} "
            f"classes gives {100 / classes:.3g} %. Remove less, in more steps, or train longer."
        )
    if objective.unit and (drop := objective.drop(before, after)) > DROP:
        return f"The {name} is {drop:.2f} points down: it is {values}."
    return None


def _thin_groups(plan: PruningPlan) -> str | None:
    counts = {name: (len(kept), plan.channels[name]) for name, kept in plan.kept.items()}
    thin = {name: count for name, count in counts.items() if count[0] < _SHARE * count[1]}
    if not thin:
        return None
    told = [f"{name} ({kept} of {channels})" for name, (kept, channels) in thin.items()]
    more = [f"{len(told) - _NAMED} more"] if len(told) > _NAMED else []
    return (
        f"Less than a tenth of its channels is left of {', '.join([*told[:_NAMED], *more])}. To "
        "keep more: min_channels or max_ratio (--min-channels, --max-ratio)."
    )
