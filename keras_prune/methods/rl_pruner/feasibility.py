"""Whether there is anything to search: a budget that can be met, and groups to share it out."""

from keras_prune.budgets import Budget
from keras_prune.budgets.limits import Limits
from keras_prune.errors import ModelError
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
    budget.require_reachable(graph)
