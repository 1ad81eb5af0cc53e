"""Whether there is anything to search: a budget that can be met, and groups to share it out."""

import math

from keras_prune.budgets import Budget
from keras_prune.budgets.limits import Limits, bound
from keras_prune.errors import ConfigError, ModelError
from keras_prune.graph import ChannelGraph


def check(budget: Budget, graph: ChannelGraph) -> None:
    """Refuses a budget that makes nothing to search.

    Raises:
        ModelError: fewer than two groups can lose channels.
        ConfigError: the budget is met already, or can never be.
    """
    budget.check(graph)
    whole = Limits.of(budget).excluded(graph)
    unpruned = (budget.origin or graph).groups.items()  # later all groups but one may be down to 1
    free = [name for name, group in unpruned if group.channels > 1 and name not in whole]
    if len(free) < 2:
        raise ModelError(
            "Expected at least two groups of channels to share out what leaves. Received: model "
            f"{graph.model.name!r} with {len(free)} ({', '.join(free) or 'none'}). Prune it by a "
            "criterion alone."
        )
    least = budget.furthest(graph)
    if least > budget.kept:
        raise ConfigError(
            f"The budget {budget} cannot be met: {bound(budget, graph)} let the model go no "
            f"further than {budget.kind}={_furthest(budget, least)}."
        )


def _furthest(budget: Budget, least: float) -> str:
    """The fraction that can just be asked for, rounded to the side that can be met."""
    if budget.ratio is not None:
        return f"{math.floor((1 - least) * 1000) / 1000:g}"
    return f"{math.ceil(least * 1000) / 1000:g}"
