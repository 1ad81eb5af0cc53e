"""What a data set has to offer: decoded arrays, split by split."""

from collections.abc import Collection, Mapping
from typing import Protocol

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]

Shape = tuple[int, int, int]
"""Height, width and channels."""

# Orders that must be the same in every run, whatever its seed.
_ORDER = 1797


class Source(Protocol):
    """A data set whose splits are read one at a time, each only when it is asked for."""

    @property
    def num_classes(self) -> int:
        """Number of classes."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes' names in the order of their labels; empty where there are none."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Examples in `"train"`, `"validation"` and `"test"`."""

    def read(self, split: str) -> Arrays:
        """Images `(examples, height, width, channels)`, values 0-255, and labels `(examples,)`."""


def parts(stored: Collection[str]) -> dict[str, tuple[str, int, int]]:
    """Which part of which stored split train, validation and test are.

    What is held out as it is stored is the test split, and the validation split too if there are
    both. The rest is cut from the training examples.

    Args:
        stored: the splits there are, among them `"train"`.

    Returns:
        For each split the stored one, and in percent where its part begins and ends.

    Example:

    >>> parts(["train", "test"])["validation"]
    ('train', 90, 100)
    """
    held_out = {"validation", "test"} & set(stored)
    if len(held_out) == 2:
        return {split: (split, 0, 100) for split in ("train", "validation", "test")}
    begin, end = (80, 90) if not held_out else (90, 100)
    test = ("train", end, 100) if not held_out else (held_out.pop(), 0, 100)
    return {"train": ("train", 0, begin), "validation": ("train", begin, end), "test": test}


def mixed(count: int) -> np.ndarray:
    """The numbers below `count` in an order that looks random and never changes.

    What looks at the first examples of a split only must not see one class only.
    """
    return np.random.default_rng(_ORDER).permutation(count)
