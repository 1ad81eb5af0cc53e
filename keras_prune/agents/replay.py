"""A memory of what was tried, for learning from it more than once."""

from typing import Any

import numpy as np


class Replay:
    """Keeps the last entries and draws from them at random.

    An entry is a row of each of several arrays.

    Args:
        capacity: entries that are kept.
        seed: the same seed draws the same entries.

    Example:

    >>> replay = Replay(capacity=3, seed=0)
    >>> replay.add(np.arange(5), np.arange(5) * 10)
    >>> len(replay)
    3
    >>> numbers, tens = replay.draw(2)
    >>> (numbers * 10 == tens).all(), (numbers >= 2).all()
    (np.True_, np.True_)
    """

    def __init__(self, capacity: int, seed: int) -> None:
        self._capacity = capacity
        self._random = np.random.default_rng(seed)
        self._columns: list[np.ndarray] = []
        self._added = 0

    def __len__(self) -> int:
        return min(self._added, self._capacity)

    def add(self, *columns: np.ndarray) -> None:
        """Adds entries, `(entries, ...)` each; the oldest give way."""
        columns = tuple(column[-self._capacity :] for column in columns)
        if not self._columns:
            self._columns = [np.empty((self._capacity, *c.shape[1:]), c.dtype) for c in columns]
        rows = (self._added + np.arange(len(columns[0]))) % self._capacity
        for kept, column in zip(self._columns, columns, strict=True):
            kept[rows] = column
        self._added += len(rows)

    def draw(self, count: int) -> list[np.ndarray]:
        """`count` entries, each any of those that are kept."""
        rows = self._random.integers(len(self), size=count)
        return [column[rows] for column in self._columns]

    def state(self) -> dict[str, Any]:
        """All that changes: `columns`, a list of arrays, and plain data."""
        return {
            "columns": [column[: len(self)].copy() for column in self._columns],
            "added": self._added,
            "random": self._random.bit_generator.state,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a state; what is drawn next is what would have been drawn."""
        self._columns, self._added = [], 0
        if state["columns"]:
            self.add(*state["columns"])  # in the rows that they had
        self._added = state["added"]
        self._random.bit_generator.state = state["random"]
