"""What a network is judged by: a metric, and which way is better."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from keras_prune.errors import ConfigError
from keras_prune.utils.progress import in_points

Direction = Literal["max", "min"]

_LOWER = ("loss", "error", "mae", "mse", "rmse", "mape", "msle", "crossentropy", "divergence")
_HIGHER = (
    "accuracy", "acc", "auc", "precision", "recall", "f1_score", "fbeta_score", "iou", "io_u",
    "r2_score",
    "cosine_similarity", "dice", "dice_coefficient", "sensitivity", "specificity",
)  # fmt: skip


@dataclass(frozen=True)
class Objective:
    """The metric that rewards, thresholds and reports read.

    Accuracies are in percent, and differences of them in percentage points; every other metric is
    in its own units.

    Args:
        metric: its name among the figures that `model.evaluate` returns, for example `"accuracy"`,
            `"mean_absolute_error"` or `"loss"`; of several outputs `"<output>_<metric>"`.
        direction: `"max"` if more is better, `"min"` if less is; default: told by the name.

    Raises:
        ConfigError: the name does not tell the direction, and none is given.

    Example:

    >>> Objective("mean_squared_error").direction
    'min'
    >>> Objective("accuracy").drop(90.0, 89.5)
    0.5
    """

    metric: str
    direction: Direction | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.metric, str) or not self.metric:
            raise ConfigError(f"Expected the name of a metric. Received: {self.metric!r}.")
        if self.direction is None:
            object.__setattr__(self, "direction", _direction(self.metric))
        if self.direction not in ("max", "min"):
            raise ConfigError(
                f"Expected the direction of objective {self.metric!r} to be 'max' or 'min'. "
                f"Received: {self.direction!r}. Give kp.Objective({self.metric!r}, 'max') if more "
                "is better."
            )

    @property
    def unit(self) -> str:
        """`"%"` for an accuracy, else nothing."""
        return "%" if in_points(self.metric) else ""

    @property
    def points(self) -> str:
        """What a difference is counted in, for sentences."""
        return "points" if in_points(self.metric) else "units"

    @property
    def title(self) -> str:
        """The metric with its unit, for headings."""
        return f"{self.metric.replace('_', ' ')}{' (%)' if self.unit else ''}"

    def gain(self, value: float) -> float:
        """The value, turned so that more is better."""
        return value if self.direction == "max" else -value

    def drop(self, before: float, after: float) -> float:
        """By how much `after` is worse than `before`; below 0 where it is better."""
        return self.gain(before) - self.gain(after)


def as_objective(identifier: Any) -> Objective:
    """An objective from a metric's name, `(name, direction)` or as it is.

    Raises:
        ConfigError: it is none of these, or its direction is unknown.
    """
    if isinstance(identifier, Objective):
        return identifier
    if isinstance(identifier, str):
        return Objective(identifier)
    if isinstance(identifier, tuple | list) and len(identifier) == 2:
        return Objective(*identifier)
    raise ConfigError(
        "Expected an objective: a metric's name, (name, 'max' or 'min') or a kp.Objective. "
        f"Received: {identifier!r}."
    )


def tells_direction(metric: str) -> bool:
    """Whether a metric's name says which way is better."""
    return _direction(metric) is not None


def _direction(metric: str) -> Direction | None:
    # Keras calls MeanIoU() `mean_io_u`, and the second AUC() of a process `auc_1`.
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", re.sub(r"_\d+$", "", metric)).lower()
    if any(name == known or name.endswith(f"_{known}") for known in _HIGHER):
        return "max"
    if any(known in name for known in _LOWER):
        return "min"
    return None


def check_figure(metric: str, value: float, where: str) -> None:
    """Refuses a figure that cannot be.

    Args:
        metric: its name.
        value: the figure, an accuracy in percent.
        where: what it was measured on.

    Raises:
        ConfigError: it is no number, or an accuracy beyond 0 to 100 %.
    """
    if not math.isfinite(value):
        raise ConfigError(
            f"The objective {metric!r} is {value} on {where}. Look for NaN in the data and the "
            "model's weights, and for a loss that does not fit them."
        )
    if in_points(metric) and not 0 <= value <= 100 + 1e-4:
        raise ConfigError(
            f"The objective {metric!r} is {value:.6g} % on {where}. Expected an accuracy from 0 to "
            "1: look at what it compares, and in which shapes."
        )
