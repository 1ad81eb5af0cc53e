"""Weights that share few values."""

import warnings

import numpy as np


def shared(array: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rounds the numbers other than zero to `count` values: the means of their clusters.

    The clusters are those of k-means, started at equal distances between the smallest and the
    largest number.

    Args:
        array: the weight.
        count: how many values besides zero, 2 to 256.

    Returns:
        The rounded weight, and its values, ascending.

    Reference: Han, Mao and Dally, "Deep Compression", ICLR 2016, section 3.
    """
    kept = array[array != 0]
    values = np.unique(kept)
    if len(values) > count:
        values = _means(kept, count)
    nearest = np.searchsorted((values[1:] + values[:-1]) / 2, kept)
    rounded = np.zeros_like(array)
    rounded[array != 0] = values[nearest]
    return rounded, values


def _means(numbers: np.ndarray, count: int) -> np.ndarray:
    from sklearn.cluster import KMeans  # takes a second to import
    from sklearn.exceptions import ConvergenceWarning

    start = np.linspace(numbers.min(), numbers.max(), count)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer clusters are welcome
        found = KMeans(count, init=start[:, None], n_init=1).fit(numbers[:, None])
    values = np.unique(found.cluster_centers_.astype(numbers.dtype))
    return values[values != 0]
