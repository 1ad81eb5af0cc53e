"""Which labels are one: a union-find over integers, vectorised."""

import numpy as np

STAYS = 0
"""The label of everything that must stay. As the smallest label it wins every union."""


class Unions:
    """Labels, and the pairs among them that were found equal.

    Unions are only recorded; `resolve` settles them all at once, so that the cost of a walk does
    not depend on the order in which labels meet.

    Example:

    >>> unions = Unions()
    >>> a, b = unions.fresh(2), unions.fresh(2)
    >>> unions.unite(a, b[::-1])
    >>> unions.resolve().tolist()
    [0, 1, 2, 2, 1]
    """

    def __init__(self) -> None:
        self._count = 1
        self._pairs: list[tuple[np.ndarray, np.ndarray]] = []

    def fresh(self, count: int) -> np.ndarray:
        """`count` labels never seen before."""
        labels = np.arange(self._count, self._count + count)
        self._count += count
        return labels

    def unite(self, a: np.ndarray, b: np.ndarray | int) -> None:
        """Records that labels are equal, position by position (with broadcasting)."""
        a, b = np.broadcast_arrays(a, b)
        self._pairs.append((a.ravel(), b.ravel()))

    def resolve(self, pinned: bool = True) -> np.ndarray:
        """The smallest equal label of every label, shape `(labels,)`.

        Args:
            pinned: whether labels that stay are one; without it only labels that met are.
        """
        roots = np.arange(self._count)
        if not self._pairs:
            return roots
        a = np.concatenate([pair[0] for pair in self._pairs])
        b = np.concatenate([pair[1] for pair in self._pairs])
        if not pinned:
            free = (a != STAYS) & (b != STAYS)
            a, b = a[free], b[free]
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
