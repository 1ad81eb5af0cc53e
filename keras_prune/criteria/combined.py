"""Several criteria joined into one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from keras_prune.criteria.base import Criterion, Scores
from keras_prune.errors import ConfigError, DataError
from keras_prune.graph import ChannelGraph


@dataclass(frozen=True)
class Combined(Criterion):
    """The weighted sum of several criteria, each divided by its mean over the group.

    Args:
        criteria: what is joined: names, configurations, or criteria; default `lamp`, which looks at
            weights, and `fisher`, which looks at data.
        weights: what each counts; default all the same.

    A group that one of them cannot score has no score.

    Raises:
        ConfigError: a criterion is unknown, or there is not a weight above 0 for each.

    Example:

    >>> import keras
    >>> from keras_prune.graph import ChannelGraph
    >>> model = keras.Sequential([
    ...     keras.Input((2,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(2),
    ... ])
    >>> Combined(("l1", "cosine"), (1.0, 0.5))(ChannelGraph(model))["hidden"].shape
    (3,)
    """

    name: ClassVar[str] = "combined"
    criteria: tuple[Any, ...] = ("lamp", "fisher")
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        from keras_prune.criteria.catalogue import get

        given = self.criteria
        members = tuple(map(get, given)) if isinstance(given, list | tuple) else ()
        if not members or not all(isinstance(member, Criterion) for member in members):
            raise ConfigError(
                "Expected criteria to be names, configurations or criteria of keras_prune. "
                f"Received: {self.criteria!r}."
            )
        object.__setattr__(self, "criteria", members)
        weights = self.weights
        fits = weights is None or (
            len(weights) == len(members)
            and all(isinstance(w, int | float) and 0 < w < np.inf for w in weights)
        )
        if not fits:
            raise ConfigError(
                f"Expected weights to be a number above 0 for each of {len(members)} criteria. "
                f"Received: {weights!r}."
            )

    @property
    def wants_loss(self) -> bool:
        return any(member.wants_loss for member in self.criteria)

    def with_loss(self, loss: Any) -> Combined:
        return replace(self, criteria=tuple(member.with_loss(loss) for member in self.criteria))

    def unscored(self, graph: ChannelGraph) -> dict[str, str]:
        return {name: why for each in self.criteria for name, why in each.unscored(graph).items()}

    def scores(self, graph: ChannelGraph, data: Any) -> Scores:
        if isinstance(data, Iterator):
            raise DataError(
                "Expected calibration data that can be read once for each criterion. Received: "
                f"{type(data).__name__}, which is used up by the first. Give arrays or a data set."
            )
        weights = self.weights or (1.0,) * len(self.criteria)
        found = [each.scores(graph, data) for each in self.criteria]
        shared = [name for name in graph.groups if all(name in scores for scores in found)]
        return {
            name: sum(
                weight * scores[name] / (np.abs(scores[name]).mean() or 1)
                for weight, scores in zip(weights, found, strict=True)
            )
            for name in shared
        }

    def get_config(self) -> dict[str, Any]:
        members = [{"class_name": m.name, "config": m.get_config()} for m in self.criteria]
        return {"criteria": members, "weights": self.weights}
