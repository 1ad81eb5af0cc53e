"""How much each channel matters, as plain data: group by group, higher = keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_prune.errors import PlanError
from keras_prune.utils.files import read_json, write_text


class ChannelScores(dict[str, np.ndarray]):
    """Scores of a network's channels: group name -> float64 `(channels,)`, higher = keep.

    Args:
        scores: the scores by group.
        criterion: what they were made by.
        fingerprint: of the graph they were made for.
        unscored: group -> why it has no scores. A budget leaves it whole.

    Example:

    >>> ChannelScores({"conv": np.array([1.0, 3.0])}, criterion="l1")
    {'conv': array([1., 3.])}
    """

    def __init__(
        self,
        scores: Mapping[str, np.ndarray],
        *,
        criterion: str = "",
        fingerprint: str = "",
        unscored: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scores)
        self.criterion, self.fingerprint = criterion, fingerprint
        self.unscored = dict(unscored or {})

    def check(self, fingerprint: str, model: str) -> None:
        """Raises a `PlanError` if the scores were made for another model."""
        if self.fingerprint and self.fingerprint != fingerprint:
            raise PlanError(
                f"The scores were made for another model (fingerprint {self.fingerprint}, model "
                f"{model!r} has {fingerprint}). Score this model."
            )

    def require_all(self) -> ChannelScores:
        """The scores, if there are some of every group.

        Raises:
            PlanError: a group has none.
        """
        if self.unscored:
            name, reason = next(iter(self.unscored.items()))
            raise PlanError(
                f"Expected scores of every group. Criterion {self.criterion!r} has none of "
                f"{', '.join(self.unscored)} ({name}: {reason}). Use another, such as 'l1'."
            )
        return self

    def save(self, path: str | Path) -> None:
        """Writes a JSON file, whole or not at all."""
        found = {
            "criterion": self.criterion,
            "fingerprint": self.fingerprint,
            "unscored": self.unscored,
            "groups": {name: np.asarray(values).tolist() for name, values in self.items()},
        }
        write_text(Path(path), json.dumps(found))

    @classmethod
    def load(cls, path: str | Path) -> ChannelScores:
        """Reads what `save` wrote.

        Raises:
            PlanError: the file cannot be read, holds something else, or a score is not finite.
        """
        try:
            found = read_json(Path(path))
            groups = {name: _finite(name, values) for name, values in found["groups"].items()}
            texts = {key: found[key] for key in ("criterion", "fingerprint")}
            unscored = dict(found["unscored"])
            if not all(isinstance(text, str) for text in (*texts.values(), *unscored.values())):
                raise TypeError("criterion, fingerprint and reasons have to be texts")
        except (OSError, UnicodeDecodeError) as error:
            raise PlanError(f"Cannot read the scores {path}: {error}.") from error
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise PlanError(
                f"Expected scores as ChannelScores.save writes them. Received: {path}, where "
                f"{type(error).__name__} {error}."
            ) from error
        return cls(groups, unscored=unscored, **texts)


def _finite(name: str, values: Any) -> np.ndarray:
    scores = np.asarray(values, "float64")
    if scores.ndim != 1:
        raise ValueError(f"group {name!r} has no list of scores")
    if not np.isfinite(scores).all():
        raise ValueError(f"group {name!r} has scores that are not finite")
    return scores
