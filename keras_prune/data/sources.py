"""What a data set has to offer: decoded arrays, split by split."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]


class Source(Protocol):
    """A data set whose splits are read one at a time, each only when it is asked for."""

    @property
    def num_classes(self) -> int:
        """Number of classes."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Examples in `"train"`, `"validation"` and `"test"`."""

    def read(self, split: str) -> Arrays:
        """Images `(examples, height, width, channels)`, values 0-255, and labels `(examples,)`."""
