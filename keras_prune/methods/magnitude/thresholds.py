"""Which of a kernel's remaining weights stay, kernel by kernel."""

import numpy as np


def quantile(values: np.ndarray, mask: np.ndarray, rate: float) -> np.ndarray:
    """Drops the smallest `rate` of the remaining weights.

    Args:
        values: the weights.
        mask: bool, those that remain; same shape.
        rate: fraction of the remaining weights that leave, in [0, 1).

    Returns:
        The new mask; at least one weight stays.

    >>> quantile(np.array([0.1, -0.4, 0.2, 0.0]), np.array([True, True, True, False]), 1 / 3)
    array([False,  True,  True, False])
    """
    remaining = int(mask.sum())
    return largest(np.abs(values), mask, remaining - round(rate * remaining))


def deviation(values: np.ndarray, mask: np.ndarray, quality: float) -> np.ndarray:
    """Drops remaining weights below `quality · standard deviation of the remaining weights`.

    Args:
        values: the weights.
        mask: bool, those that remain; same shape.
        quality: the factor, positive.

    Returns:
        The new mask; at least one weight stays.

    Reference: Han, Pool, Tran and Dally, "Learning both Weights and Connections for Efficient
    Neural Networks", NeurIPS 2015, section 4.
    """
    magnitudes = np.abs(values)
    kept = mask & (magnitudes >= quality * np.std(values[mask]))
    return kept if kept.any() else largest(magnitudes, mask, 1)


def largest(scores: np.ndarray, mask: np.ndarray, count: int) -> np.ndarray:
    """The mask of the `count` highest scores among the remaining; of equal ones the first.

    Args:
        scores: any shape.
        mask: bool, those that remain; same shape.
        count: how many stay; at least one does.
    """
    order = np.argsort(-np.where(mask, scores, -np.inf), axis=None, kind="stable")
    kept = np.zeros(scores.size, bool)
    kept[order[: max(count, 1)]] = True
    return kept.reshape(scores.shape) & mask
