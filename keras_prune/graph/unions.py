"""Which labels are one: a union-find over integers, vectorised."""

from collections.abc import Sequence

import numpy as np

STAYS = 0
"""The label of everything that must stay. As the smallest label it wins every union."""


class Unions:
    """Labels, and the pairs among them that were found equal.

    Unions are only recorded; `resolve` settles those since it was asked last all at once, so that
    the cost of a walk does not depend on the order in which labels meet, nor on how often it asks.

    Example:

    >>> unions = Unions()
    >>> a, b = unions.fresh(2), unions.fresh(2)
    >>> unions.unite(a, b[::-1])
    >>> unions.resolve().tolist()
    [0, 1, 2, 2, 1]
    """

    def __init__(self) -> None:
        self.count = 1
        self._pairs: list[tuple[np.ndarray, np.ndarray]] = []
        self._settled = 0  # pairs that are in the roots
        self._roots = np.arange(1)

    def fresh(self, count: int) -> np.ndarray:
        """`count` labels never seen before."""
        labels = np.arange(self.count, self.count + count)
        self.count += count
        return labels

    def unite(self, a: np.ndarray, b: np.ndarray | int) -> None:
        """Records that labels are equal, position by position (with broadcasting)."""
        a, b = np.broadcast_arrays(a, b)
        self._pairs.append((a.ravel(), b.ravel()))

    def resolve(self, pinned: bool = True) -> np.ndarray:
        """The smallest equal label of every label, shape `(labels,)`; not to be written to.

        Args:
            pinned: whether labels that stay are one; without it only labels that met are.
        """
        if not pinned:
            a, b = _joined(self._pairs)
            free = (a != STAYS) & (b != STAYS)
            return _merged(np.arange(self.count), a[free], b[free])
        new = self._pairs[self._settled :]
        if new or len(self._roots) < self.count:
            roots = np.concatenate([self._roots, np.arange(len(self._roots), self.count)])
            self._roots, self._settled = _merged(roots, *_joined(new)), len(self._pairs)
            self._roots.flags.writeable = False  # it is handed out again
        return self._roots


def _joined(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    none = np.array([], int)
    a, b = zip((none, none), *pairs, strict=True)
    return np.concatenate(a), np.concatenate(b)


def _merged(roots: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The roots once some labels are one; what is given is written to."""
    while True:
        ra, rb = roots[a], roots[b]
        open_ = ra != rb
        if not open_.any():
            return roots
        a, b, ra, rb = a[open_], b[open_], ra[open_], rb[open_]
        np.minimum.at(roots, np.maximum(ra, rb), np.minimum(ra, rb))
        roots = _compress(roots)


def _compress(roots: np.ndarray) -> np.ndarray:
    """Lets every label point at its root directly."""
    while True:
        shorter = roots[roots]
        if np.array_equal(shorter, roots):
            return roots
        roots = shorter
