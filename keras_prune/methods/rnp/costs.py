"""What images cost under the actions taken for them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from keras_prune.methods.rnp.decisions import Decisions, is_convolution
from keras_prune.profiling import profile


class Costs:
    """Multiplications, image by image, from the actions alone.

    A convolution that computes `o` of `N` channels from `i` of `M` costs `i/M o/N` of its
    multiply-accumulates; every other layer costs what it always does.

    Args:
        decisions: what is decided.
        overhead: multiply-accumulates of the decision network on one image.
    """

    def __init__(self, decisions: Decisions, overhead: int) -> None:
        self._shares = np.array([np.array(s.bounds) / s.bounds[-1] for s in decisions.steps])
        self.overhead = overhead
        graph = decisions.graph
        rows = {row.name: row for row in profile(graph.model).layers}
        self.dense = sum(row.macs or 0 for row in rows.values())
        self._convolutions = {
            call.name: (rows[call.name].macs or 0, *decisions.around(call))
            for call in graph.trace.calls
            if is_convolution(call)
        }

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
        """Multiplications of each image in all layers, the decisions' included, `(images,)`."""
        saved = sum(
            (full - self._cost(name, actions) for name, (full, _, _) in self._convolutions.items()),
            np.zeros(len(actions)),
        )
        return self.dense + self.overhead - saved

    def share(self, actions: np.ndarray) -> float:
        """What all images cost on average, as a fraction of the whole network's cost."""
        return float(self.images(actions).mean() / self.dense)

    def _cost(self, name: str, actions: np.ndarray) -> np.ndarray:
        full, *around = self._convolutions[name]
        cost = np.full(len(actions), float(full))
        for step in around:
            if step is not None:
                cost *= self._shares[step][actions[:, step]]
        return cost
