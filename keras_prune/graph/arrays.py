"""Arithmetic on label arrays.

A label array mirrors a tensor's axes (batch counts as 1, an unknown length too). Along
most axes all its labels are equal; there it is a broadcast view, so that it costs no memory, and
its *core* is that array with those axes cut to length 1.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


def shape_of(tensor: keras.KerasTensor) -> tuple[int, ...]:
    """The shape of a tensor's label array: the batch axis and unknown lengths count as 1."""
    lengths = [1 if length is None else int(length) for length in tensor.shape]
    return tuple(lengths) if _is_batchless(tensor) else (1, *lengths[1:])


def mark_batchless(tensor: Any) -> None:
    """Notes that a tensor has no batch axis: a weight, or what is made of weights alone."""
    tensor.batchless = True


def _is_batchless(tensor: Any) -> bool:
    return getattr(tensor, "batchless", False)


def are_batchless(tensors: Sequence[keras.KerasTensor]) -> bool:
    """Whether some tensors have no batch axis, all of them."""
    return all(map(_is_batchless, tensors))


def core(labels: np.ndarray) -> np.ndarray:
    """The array with every broadcast axis cut to length 1."""
    return labels[tuple(slice(None) if step else slice(1) for step in labels.strides)]


def spread(vector: np.ndarray, shape: Sequence[int], axis: int) -> np.ndarray:
    """Labels that vary along `axis` only, as an array of `shape`.

    Example:

    >>> spread(np.array([7, 8]), (1, 3, 2), axis=-1).tolist()
    [[[7, 8], [7, 8], [7, 8]]]
    """
    lengths = [1] * len(shape)
    lengths[axis] = len(vector)
    return np.broadcast_to(vector.reshape(lengths), shape)


def along(small: np.ndarray, axis: int, length: int) -> np.ndarray:
    """The values of a core along the one axis on which they vary, shape `(length,)`."""
    first: list[int | slice] = [0] * small.ndim
    first[axis] = slice(None)
    return np.broadcast_to(small[tuple(first)], length)


def varying_axes(labels: np.ndarray) -> list[int]:
    """The axes along which an array may hold different labels."""
    return [axis for axis, length in enumerate(core(labels).shape) if length > 1]


def shrinking_axis(roots: np.ndarray) -> int | None:
    """The one axis along which resolved labels differ; None if there is more than one.

    Example:

    >>> shrinking_axis(np.array([[1, 2], [1, 2]]))
    1
    """
    varying = [
        axis
        for axis, length in enumerate(roots.shape)
        if length > 1 and (roots != roots.take([0], axis=axis)).any()
    ]
    if len(varying) > 1:
        return None
    return varying[0] if varying else roots.ndim - 1


def reshape(labels: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """`np.reshape` that keeps broadcast axes broadcast where no other axis mixes with them.

    Example:

    >>> labels = spread(np.arange(3), (1, 4, 5, 3), axis=-1)
    >>> reshape(labels, (1, 20, 3)).strides[1]
    0
    """
    full = np.empty(labels.shape, bool).reshape(shape).shape  # settles a -1
    small = core(labels)
    kept: list[int] = []
    lengths: list[int] = []
    for old, new in _blocks(labels.shape, full):
        constant = all(small.shape[axis] == 1 for axis in old)
        kept += [1 if constant else labels.shape[axis] for axis in old]
        lengths += [1 if constant else full[axis] for axis in new]
    return np.broadcast_to(np.broadcast_to(small, kept).reshape(lengths), full)


def concatenate(parts: Sequence[np.ndarray], axis: int) -> np.ndarray:
    """`np.concatenate` that writes out `axis` and what varies in some part, nothing else."""
    axis %= parts[0].ndim
    cores = [core(part) for part in parts]
    lengths = np.max([part.shape for part in cores], axis=0)
    written = []
    for part, small in zip(parts, cores, strict=True):
        lengths[axis] = part.shape[axis]
        written.append(np.broadcast_to(small, lengths))
    full = list(parts[0].shape)
    full[axis] = sum(part.shape[axis] for part in parts)
    return np.broadcast_to(np.concatenate(written, axis=axis), full)


def _blocks(old: Sequence[int], new: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """The smallest runs of old and new axes that hold the same elements, in order."""
    blocks, i, j = [], 0, 0
    while i < len(old) or j < len(new):
        a, b = [i] if i < len(old) else [], [j] if j < len(new) else []
        i, j = i + len(a), j + len(b)
        while _size(old, a) != _size(new, b):
            if _size(old, a) < _size(new, b):
                a.append(i)
                i += 1
            else:
                b.append(j)
                j += 1
        blocks.append((a, b))
    return blocks


def _size(shape: Sequence[int], axes: Sequence[int]) -> int:
    return int(np.prod([shape[axis] for axis in axes], dtype=int))
