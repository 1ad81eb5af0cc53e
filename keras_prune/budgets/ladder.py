"""The order in which channels come back into a network that keeps as few as it may."""

from collections.abc import Mapping

import numpy as np

from keras_prune.budgets.scores import Scores


class Ladder:
    """All channels that may leave, in steps of one group each, the best first.

    At the bottom every group keeps the fewest channels it may. A step lets one group keep as many
    as its next level says. Within a group the channel with the higher score comes first, the lower
    index if they are equal; between groups the earlier one does.

    Args:
        scores: one score per channel of each group.
        levels: how many channels each group may keep, ascending; the last is all it has.
        before: how many channels each group had in the unpruned model.
        scope: `"global"` orders steps by the mean score of the channels they bring back, `"local"`
            by the fraction of its channels that the group then keeps.
    """

    def __init__(
        self,
        scores: Scores,
        levels: Mapping[str, np.ndarray],
        before: Mapping[str, int],
        scope: str,
    ) -> None:
        self.groups = list(scores)
        self._levels = [levels[name] for name in self.groups]
        self._ranks = [_ranks(scores[name]) for name in self.groups]
        fractions = [levels[name][1:] / before[name] for name in self.groups]
        keys = {
            "global": [_means(scores[name], levels[name]) for name in self.groups],
            "local": [-fraction for fraction in fractions],
        }[scope]
        owner = np.repeat(np.arange(len(keys)), [len(key) for key in keys])
        order = np.argsort(-np.concatenate([*keys, []]), kind="stable")
        self.steps: np.ndarray = owner[order]
        self._fractions: np.ndarray = np.concatenate([*fractions, []])[order]

    def levels_after(self, steps: int) -> np.ndarray:
        """How many levels each group has climbed after the first steps, shape `(groups,)`."""
        return np.bincount(self.steps[:steps], minlength=len(self.groups))

    def steps_within(self, fraction: float) -> int:
        """How many steps leave every group with at most a fraction of its channels (local only)."""
        return int(np.searchsorted(self._fractions, fraction, side="right"))

    def masks(self, climbed: np.ndarray) -> dict[str, np.ndarray]:
        """Which channels each group keeps at these levels."""
        return {
            name: ranks < levels[level]
            for name, ranks, levels, level in zip(
                self.groups, self._ranks, self._levels, climbed, strict=True
            )
        }


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
