"""The environment of a real network, and what cannot become one."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_prune import criteria
from keras_prune.budgets import Budget
from keras_prune.budgets.limits import Limits, bound
from keras_prune.errors import ConfigError, ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rl_pruner.environment import PruningEnvironment
from keras_prune.methods.rollouts import Rollouts

Arrays = tuple[np.ndarray, np.ndarray]


def pruning_environment(
    graph: ChannelGraph,
    budgets: Sequence[Budget],
    rewards: Arrays,
    *,
    criterion: Any = "taylor",
    calibration: Any = None,
    precision: str = "float32",
    macs_weight: float = 0.0,
    params_weight: float = 0.0,
) -> PruningEnvironment:
    """The environment of a classifier: scores computed once, accuracy by one compiled function.

    Args:
        graph: the graph of a classifier of images.
        budgets: what may stay after each step, for example `kp.Budget(macs=0.5).steps(4, graph)`.
        rewards: held-out images, float32, and their classes.
        criterion: which of a group's channels leave first, as `criteria.get` takes it.
        calibration: examples, for a criterion that looks at any.
        precision: of the rollouts, `"float32"` or `"mixed_bfloat16"`.
        macs_weight: see `PruningEnvironment`.
        params_weight: likewise.

    Raises:
        ModelError: fewer than two groups can lose channels.
        ConfigError: the last budget is met already, or can never be.
        DataError: the criterion needs calibration data.
    """
    check(budgets[-1], graph)
    return PruningEnvironment(
        graph,
        criteria.get(criterion)(graph, calibration),
        budgets,
        Rollouts(graph, list(graph.groups.values()), *rewards, precision).accuracy,
        macs_weight=macs_weight,
        params_weight=params_weight,
    )


def check(budget: Budget, graph: ChannelGraph) -> None:
    """Raises what `pruning_environment` raises for a budget that makes nothing to search."""
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
