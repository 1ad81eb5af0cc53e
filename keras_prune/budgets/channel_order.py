"""The order in which channels come back into a network that keeps as few as it may."""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping

import numpy as np

from keras_prune.budgets.scores import Scores
from keras_prune.graph.cut_costs import Masks

Cost = Callable[[Masks], int]
"""What a cut leaves; it never drops when a channel comes back."""

TOLERANCE = 0.02
"""A budget used up to this fraction counts as hit."""


class ChannelOrder:
    """All channels that may leave, in steps of one group each, the best first.

    At the outset every group keeps the fewest channels it may. A step lets one group keep as many
    as its next level says. Within a group the channel with the higher score comes first, the lower
    index if they are equal; between groups the earlier one does.

    Args:
        scores: one score per channel of each group.
        levels: how many channels each group may keep, ascending.
        before: how many channels each group had in the unpruned model.
        scope: `"global"` orders steps by the mean score of the channels they bring back, `"local"`
            by the fraction of its channels that the group then keeps, `"isomorphic"` by the
            fraction of their channels that the groups of its kind then keep, among these by score.
        kind: of a group, by its name; default: all are of one.
    """

    def __init__(
        self,
        scores: Scores,
        levels: Mapping[str, np.ndarray],
        before: Mapping[str, int],
        scope: str,
        kind: Callable[[str], Hashable] = lambda name: None,
    ) -> None:
        self.groups = list(scores)
        self._levels = [levels[name] for name in self.groups]
        self._ranks = [_ranks(scores[name]) for name in self.groups]
        fractions = [levels[name][1:] / before[name] for name in self.groups]
        keys = [_means(scores[name], levels[name]) for name in self.groups]
        if scope == "local":
            keys = [-fraction for fraction in fractions]
        elif scope == "isomorphic":
            keys = _by_kind(keys, self._levels, list(map(kind, self.groups)))
        owner = np.repeat(np.arange(len(keys)), [len(key) for key in keys])
        sorted_steps = np.argsort(-np.concatenate([*keys, []]), kind="stable")
        self.steps: np.ndarray = owner[sorted_steps]
        self._fractions: np.ndarray = np.concatenate([*fractions, []])[sorted_steps]

    def levels_after(self, steps: int) -> np.ndarray:
        """The level of each group after the first steps, shape `(groups,)`."""
        return np.bincount(self.steps[:steps], minlength=len(self.groups))

    def steps_within(self, fraction: float) -> int:
        """How many steps leave every group with at most a fraction of its channels (local only)."""
        return int(np.searchsorted(self._fractions, fraction, side="right"))

    def masks(self, levels: np.ndarray) -> dict[str, np.ndarray]:
        """Which channels each group keeps at these levels, given by number."""
        return {
            name: ranks < counts[level]
            for name, ranks, counts, level in zip(
                self.groups, self._ranks, self._levels, levels, strict=True
            )
        }


def largest_within(order: ChannelOrder, cost: Cost, limit: int, spread: bool = True) -> np.ndarray:
    """The levels of the groups at the last point of the order that a budget admits.

    First as many steps as fit, found by bisection. If the next one is so dear that more than
    `TOLERANCE` of the budget is left, those of the steps after it that fit, the best first.

    Args:
        order: the steps.
        cost: what the masks leave.
        limit: the most that may be left; at the outset it may be exceeded all the same.
        spread: whether a group may rise several levels in place of a dearer one.
    """

    def left(levels: np.ndarray) -> int:
        return cost(order.masks(levels))

    admitted = bisect_right(
        range(len(order.steps) + 1), limit, key=lambda steps: left(order.levels_after(steps))
    )
    steps = max(admitted - 1, 0)
    levels = order.levels_after(steps)
    closed: set[int] = set()
    for group in order.steps[steps:].tolist():
        if left(levels) >= (1 - TOLERANCE) * limit:
            break
        if group not in closed:
            higher = levels + (np.arange(len(levels)) == group)
            fits = left(higher) <= limit
            levels = higher if fits else levels
            if not (fits and spread):  # the group's later steps need this one
                closed.add(group)
    return levels


def _by_kind(
    keys: list[np.ndarray], levels: list[np.ndarray], kinds: list[Hashable]
) -> list[np.ndarray]:
    """For each step the fraction of channels that the groups of its kind keep with it, negative."""
    found = [np.zeros(len(key)) for key in keys]
    for kind in dict.fromkeys(kinds):
        members = [number for number, other in enumerate(kinds) if other == kind]
        ranked = np.concatenate([keys[number] for number in members])
        brought = np.concatenate([np.diff(levels[number]) for number in members])
        order = np.argsort(-ranked, kind="stable")
        kept = np.empty(len(ranked))
        kept[order] = sum(levels[number][0] for number in members) + np.cumsum(brought[order])
        ends = np.cumsum([len(keys[number]) for number in members])[:-1]
        whole = sum(levels[number][-1] for number in members)
        for number, part in zip(members, np.split(-kept / whole, ends), strict=True):
            found[number] = part
    return found


def _ranks(scores: np.ndarray) -> np.ndarray:
    """The place of each channel in its group, 0 for the best."""
    ranks = np.empty(len(scores), int)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    return ranks


def _means(scores: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The mean score of the channels that each step brings back; never above the step before."""
    if len(levels) == 1:
        return np.array([])
    sums = np.add.reduceat(-np.sort(-scores), levels[:-1])
    return np.minimum.accumulate(sums / np.diff(levels))  # equal scores may differ by rounding
