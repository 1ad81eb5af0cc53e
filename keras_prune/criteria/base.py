"""What every criterion is: a graph in, one score per channel out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.scores import ChannelScores
from keras_prune.utils.arguments import expect_kind

Scores = dict[str, np.ndarray]
"""Group name -> one score per channel, shape `(channels,)`; higher = keep."""


@dataclass(frozen=True)
class Criterion:
    """How much each channel matters. A subclass says how in `scores`."""

    name: ClassVar[str]

    def __call__(self, graph: ChannelGraph, data: Any = None) -> ChannelScores:
        """The scores of all channels that can leave.

        Args:
            graph: the walked model; it is not changed.
            data: calibration data, for the criteria that look at any: a `tf.data.Dataset` or a
                `keras.utils.PyDataset` of batches `(inputs, labels)`, or two arrays
                `(inputs, labels)`. Criteria that read weights only ignore it.

        Returns:
            For each group float64 `(channels,)`, higher = keep; a dict.

        Raises:
            ModelError: nothing can be pruned, or scores are not finite.
            DataError: the calibration data is absent, empty or does not fit the model.
        """
        expect_kind(graph, ChannelGraph, "graph", "a ChannelGraph: kp.ChannelGraph(model)")
        graph.require_groups()
        unscored = self.unscored(graph)
        if len(unscored) == len(graph.groups):
            raise ModelError(
                f"Criterion {self.name!r} has no score for any group of model "
                f"{graph.model.name!r}: {next(iter(unscored.values()))}. Use another criterion, "
                "such as 'l1'."
            )
        found = self.scores(graph, data)
        for group, values in found.items():
            if not np.isfinite(values).all():
                raise ModelError(
                    f"Criterion {self.name!r} gives scores that are not finite for group {group!r} "
                    f"({np.count_nonzero(~np.isfinite(values))} of {len(values)} channels). Look "
                    "for NaN or infinity in the model's weights and in the calibration data."
                )
        return ChannelScores(
            found,
            criterion=self.name,
            fingerprint=graph.fingerprint,
            unscored=unscored,
        )

    @property
    def wants_loss(self) -> bool:
        """Whether it looks at a loss, and was not told which."""
        return False

    def with_loss(self, loss: Any) -> Criterion:
        """The same criterion; where it looks at a loss, and was not told which, at this one."""
        return self

    def unscored(self, graph: ChannelGraph) -> dict[str, str]:
        """The groups that this criterion cannot score, and why."""
        return {}

    def scores(self, graph: ChannelGraph, data: Any) -> Scores:
        """The scores of a graph that has groups."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments, as `criteria.get` takes them under `"config"`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
