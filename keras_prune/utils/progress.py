"""What a long piece of work tells whoever watches it. Only the command line renders it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Progress:
    """One step of one stage.

    Args:
        stage: what is running, for example `"fine-tune block1_conv1"`.
        done: steps finished in this stage.
        total: steps this stage takes.
        metrics: figures of the moment, for example `{"reward": 0.4, "kept": 32}`.
    """

    stage: str
    done: int
    total: int
    metrics: Mapping[str, float] = field(default_factory=dict)


Watcher = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """The watcher that ignores everything: the default."""


def in_points(metric: str) -> bool:
    """Whether a metric is an accuracy, which is shown in percent.

    >>> in_points("val_accuracy"), in_points("loss")
    (True, False)
    """
    name = metric.lower()
    return name.endswith("accuracy") or name == "acc" or name.endswith("_acc")


def percent(logs: Mapping[str, Any]) -> dict[str, float]:
    """Keras' figures with every accuracy in percent."""
    return {name: float(value) * (100 if in_points(name) else 1) for name, value in logs.items()}
