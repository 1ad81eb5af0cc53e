"""What images cost under the actions taken for them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from keras_prune.methods.rnp.decisions import Decisions, is_convolution
from keras_prune.profiling import profile


class Costs:
    """Multiplications of convolutions and decisions, image by image, from the actions alone.

    A convolution that computes `o` of `N` channels from `i` of `M` costs `i/M o/N` of its
    multiply-accumulates.

    Args:
        decisions: what is decided.
        overhead: multiply-accumulates of the decision network on one image.

    Attributes:
        original: multiplications of the whole network's convolutions on one image.
        others: multiply-accumulates of its other layers, which are always computed.
    """

    def __init__(self, decisions: Decisions, overhead: int) -> None:
        self._shares = np.array([np.array(s.bounds) / s.bounds[-1] for s in decisions.steps])
        self.overhead = overhead
        graph = decisions.graph
        rows = {row.name: row for row in profile(graph.model).layers}
        self._convolutions = {
            call.name: (rows[call.name].macs or 0, *decisions.around(call))
            for call in graph.trace.calls
            if is_convolution(call)
        }
        self.original = sum(full for full, _, _ in self._convolutions.values())
        self.others = sum(row.macs or 0 for row in rows.values()) - self.original

    def layers(self, actions: np.ndarray) -> pd.DataFrame:
        """Multiplications of each convolution on average, for one image.

        Args:
            actions: int from 0, `(images, decisions)`.

        Returns:
            A row per convolution, indexed by its name: `original` and `pruned`.
        """
        return pd.DataFrame(
            {
                name: {"original": full, "pruned": float(self._cost(name, actions).mean())}
                for name, (full, _, _) in self._convolutions.items()
            }
        ).T.rename_axis("layer")

    def images(self, actions: np.ndarray) -> np.ndarray:
        """Multiplications of each image, the decisions' included, `(images,)`."""
        costs = (self._cost(name, actions) for name in self._convolutions)
        return sum(costs, np.full(len(actions), float(self.overhead)))

    def share(self, actions: np.ndarray) -> float:
        """What the images cost on average, as a fraction of `original`."""
        return float(self.images(actions).mean() / self.original)

    def _cost(self, name: str, actions: np.ndarray) -> np.ndarray:
        full, *around = self._convolutions[name]
        cost = np.full(len(actions), float(full))
        for step in around:
            if step is not None:
                cost *= self._shares[step][actions[:, step]]
        return cost
