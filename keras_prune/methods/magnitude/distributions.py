"""How a sparsity of the whole network is spread over its kernels."""

from collections.abc import Callable, Sequence

import numpy as np

from keras_prune.methods.magnitude.thresholds import largest

Arrays = Sequence[np.ndarray]
Distribution = Callable[[Arrays, Arrays, float], list[np.ndarray]]
"""`(weights, masks, density) -> masks`: `density` of all weights stay, if masks leave so many."""


def uniform(values: Arrays, masks: Arrays, density: float) -> list[np.ndarray]:
    """Every kernel keeps the same fraction of its weights, the largest."""
    return _each(values, masks, [density] * len(values))


def erk(values: Arrays, masks: Arrays, density: float) -> list[np.ndarray]:
    """Kernel `l` keeps a fraction proportional to `sum(shape_l) / prod(shape_l)`, at most all.

    Reference: Evci et al., "Rigging the Lottery: Making All Tickets Winners", ICML 2020, section 3,
    where its name is Erdos-Renyi-Kernel.
    """
    return _each(values, masks, erk_densities([value.shape for value in values], density))


def everywhere(values: Arrays, masks: Arrays, density: float) -> list[np.ndarray]:
    """The largest weights of the whole network stay."""
    return _ranked([np.abs(value) for value in values], masks, density)


def lamp(values: Arrays, masks: Arrays, density: float) -> list[np.ndarray]:
    """The highest `w² / sum of v² over the kernel's v with |v| >= |w|` of the whole network stay.

    Reference: Lee et al., "Layer-adaptive Sparsity for the Magnitude-based Pruning", ICLR 2021,
    section 3.
    """
    return _ranked([lamp_scores(value) for value in values], masks, density)


DISTRIBUTIONS: dict[str, Distribution] = {
    "erk": erk,
    "global": everywhere,
    "lamp": lamp,
    "uniform": uniform,
}


def erk_densities(shapes: Sequence[tuple[int, ...]], density: float) -> list[float]:
    """The fraction each kernel keeps.

    >>> [round(d, 3) for d in erk_densities([(10, 10), (100, 100)], 0.1)]
    [0.918, 0.092]
    """
    sizes = np.array([np.prod(shape) for shape in shapes], float)
    raw = np.array([sum(shape) for shape in shapes]) / sizes
    full = np.zeros(len(sizes), bool)
    while True:  # kernels that would keep more than all keep all; the others share the rest
        wanted = density * sizes.sum() - sizes[full].sum()
        scale = max(wanted, 0) / (raw * sizes)[~full].sum() if not full.all() else 0
        found = np.where(full, 1.0, scale * raw)
        if not (found > 1).any():
            return found.tolist()
        full |= found > 1


def lamp_scores(values: np.ndarray) -> np.ndarray:
    """The score of every weight of a kernel, of its shape."""
    squares = np.square(values, dtype="float64").ravel()
    order = np.argsort(squares, kind="stable")
    greater = np.cumsum(squares[order][::-1])[::-1]
    scores = np.zeros_like(squares)
    scores[order] = np.divide(
        squares[order], greater, out=np.zeros_like(squares), where=greater > 0
    )
    return scores.reshape(values.shape)


def _each(values: Arrays, masks: Arrays, densities: Sequence[float]) -> list[np.ndarray]:
    return [
        largest(np.abs(value), mask, round(density * value.size))
        for value, mask, density in zip(values, masks, densities, strict=True)
    ]


def _ranked(scores: Arrays, masks: Arrays, density: float) -> list[np.ndarray]:
    """One ranking over all kernels; each keeps at least one weight."""
    flat = np.concatenate([score.ravel() for score in scores])
    remaining = np.concatenate([mask.ravel() for mask in masks])
    for start, score, mask in zip(_starts(scores), scores, masks, strict=True):
        flat[start + np.argmax(np.where(mask, score, -np.inf))] = np.inf
    kept = largest(flat, remaining, round(density * flat.size))
    ends = [start + score.size for start, score in zip(_starts(scores), scores, strict=True)]
    parts = np.split(kept, ends[:-1])
    return [part.reshape(score.shape) for part, score in zip(parts, scores, strict=True)]


def _starts(arrays: Arrays) -> list[int]:
    """Where each array begins in the concatenation of all."""
    return np.cumsum([0, *(array.size for array in arrays)])[:-1].tolist()
