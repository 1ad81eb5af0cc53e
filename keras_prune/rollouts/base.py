"""What an evaluator is: masks in, values of the objective out."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Evaluator(Protocol):
    """Measures one network under masks on some of its groups.

    The value of a mask depends on nothing but the mask: not on the others, their order, or who
    computes it.
    """

    def evaluate(self, masks: np.ndarray) -> np.ndarray:
        """The objective under each mask, in its own units.

        Args:
            masks: float32, 1 = keep, shape `(n, channels)`: the channels of all groups end to end.

        Returns:
            float64 `(n,)`.
        """
