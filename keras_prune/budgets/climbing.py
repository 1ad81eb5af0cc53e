"""How far a budget lets a network climb back."""

from bisect import bisect_right
from collections.abc import Callable

import numpy as np

from keras_prune.budgets.ladder import Ladder
from keras_prune.graph.cut_costs import Masks

Cost = Callable[[Masks], int]
"""What a cut leaves; it never drops when a channel comes back."""

TOLERANCE = 0.02
"""A budget used up to this fraction counts as hit."""


def climb(ladder: Ladder, cost: Cost, limit: int, spread: bool = True) -> np.ndarray:
    """The levels of the groups at the highest point of a ladder that a budget admits.

    First as many steps as fit, found by bisection. If the next one is so dear that more than
    `TOLERANCE` of the budget is left, those of the steps after it that fit, the best first.

    Args:
        ladder: the steps.
        cost: what the masks leave.
        limit: the most that may be left; at the bottom it may be exceeded all the same.
        spread: whether a group may climb several levels in place of a dearer one.
    """

    def left(climbed: np.ndarray) -> int:
        return cost(ladder.masks(climbed))

    admitted = bisect_right(
        range(len(ladder.steps) + 1), limit, key=lambda steps: left(ladder.levels_after(steps))
    )
    steps = max(admitted - 1, 0)
    climbed = ladder.levels_after(steps)
    closed: set[int] = set()
    for group in ladder.steps[steps:].tolist():
        if left(climbed) >= (1 - TOLERANCE) * limit:
            break
        if group not in closed:
            higher = climbed + (np.arange(len(climbed)) == group)
            fits = left(higher) <= limit
            climbed = higher if fits else climbed
            if not (fits and spread):  # the group's later steps need this one
                closed.add(group)
    return climbed
