"""What a model was compiled with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras


@dataclass(frozen=True)
class Compiled:
    """Loss and metrics as `model.compile` takes them.

    Args:
        loss: one, or a structure of them for several outputs.
        metrics: likewise; a metric's state belongs to one model, so each use takes `fresh` ones.
        loss_weights: of several outputs.
        weighted_metrics: those that sample weights count in.
    """

    loss: Any
    metrics: Any = None
    loss_weights: Any = None
    weighted_metrics: Any = None

    def arguments(self) -> dict[str, Any]:
        """For `compile`, with metrics that have seen nothing yet."""
        return {
            "loss": self.loss,
            "loss_weights": self.loss_weights,
            "metrics": fresh(self.metrics),
            "weighted_metrics": fresh(self.weighted_metrics),
        }


def compiled_with(model: keras.Model) -> Compiled | None:
    """What the user compiled a model with; None if they did not, or with no loss."""
    config = getattr(getattr(model, "_compile_config", None), "config", None)
    if not model.compiled or not config or config.get("loss") is None:
        return None
    names = ("loss", "metrics", "loss_weights", "weighted_metrics")
    return Compiled(**{name: _native(config.get(name)) for name in names})


def fresh(metrics: Any) -> Any:
    """The same metrics without the state of earlier uses."""
    if isinstance(metrics, keras.metrics.Metric):
        return type(metrics).from_config(metrics.get_config())
    if isinstance(metrics, dict):
        return {name: fresh(metric) for name, metric in metrics.items()}
    if isinstance(metrics, list | tuple):
        return [fresh(metric) for metric in metrics]
    return metrics


def _native(value: Any) -> Any:
    """Plain containers: Keras wraps those of a model."""
    if isinstance(value, dict):
        return {name: _native(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_native(item) for item in value]
    return value
