"""The report of a training."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_prune.reporting.report import ModelFigures, renamed_figures
from keras_prune.utils.config import load, to_dict
from keras_prune.utils.files import read_json


@dataclass(frozen=True)
class TrainingReport:
    """The outcome of one training.

    Args:
        model: the network's name, or the file the training went on with.
        dataset: the data set's name.
        seed: the run's seed.
        config: the resolved configuration as plain data.
        class_names: the classes' names in the order of the outputs; empty if they have none.
        figures: what the trained model is worth and what it costs.
        seconds: duration of the run.
        peak_memory_mb: peak resident memory of the process, in MiB.
    """

    model: str
    dataset: str
    seed: int
    config: dict[str, Any]
    class_names: tuple[str, ...]
    figures: ModelFigures
    seconds: float
    peak_memory_mb: float

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data that `json.dumps` takes."""
        return to_dict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "TrainingReport":
        """The report that `to_dict` described.

        Raises:
            ConfigError: a key is unknown, missing or of the wrong type.
        """
        return load(cls, renamed_figures(data, "figures"), "report")


def class_names_beside(path: Path, num_classes: int) -> tuple[str, ...]:
    """The class names in the report of the run directory that a model lies in.

    Args:
        path: the model's file or directory.
        num_classes: how many there must be.

    Returns:
        The names in the order of the outputs; empty if there is no such report.
    """
    with contextlib.suppress(OSError, ValueError, AttributeError):
        names = read_json(path.parent / "report.json").get("class_names")
        texts = isinstance(names, list) and all(isinstance(name, str) for name in names)
        if texts and len(names) == num_classes:
            return tuple(names)
    return ()
