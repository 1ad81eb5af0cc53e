"""The report every method returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras_prune.config import load, to_dict


@dataclass(frozen=True)
class ModelFigures:
    """What one model is worth and what it costs.

    Args:
        accuracy: accuracy on the test split, in percent.
        loss: loss on the test split.
        validation_accuracy: accuracy on the validation split, in percent.
        parameters: number of weights.
        macs: multiply-accumulates for one example.
        flops: 2·MACs plus the bias additions, for one example.
        bytes: size of the weights.
    """

    accuracy: float
    loss: float
    validation_accuracy: float
    parameters: int
    macs: int
    flops: int
    bytes: int


@dataclass(frozen=True)
class GroupReport:
    """How many channels of one group stayed.

    Args:
        name: the group's name.
        channels: its channels before.
        kept: its channels after.
    """

    name: str
    channels: int
    kept: int


@dataclass(frozen=True)
class Skipped:
    """Something that was not pruned.

    Args:
        name: the layer or the group.
        reason: why, in one sentence.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class PruningReport:
    """The outcome of one pruning run, the same for every method.

    Args:
        method: the method's name, for example `"filter_agent"`.
        model: the network's name.
        dataset: the data set's name.
        seed: the run's seed.
        config: the resolved configuration as plain data.
        before: figures of the baseline.
        after: figures of the pruned model.
        groups: channels before and after, per group.
        skipped: what was left alone and why.
        notes: sentences the reader should see, for example that a plan was backed off.
        exports: the exported files, as plain data.
        seconds: duration of the run.
        peak_memory_mb: peak resident memory of the process, in MiB.
    """

    method: str
    model: str
    dataset: str
    seed: int
    config: dict[str, Any]
    before: ModelFigures
    after: ModelFigures
    groups: tuple[GroupReport, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    exports: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0
    peak_memory_mb: float = 0.0

    @property
    def accuracy_drop(self) -> float:
        """Test accuracy lost, in percentage points; negative if the pruned model is better."""
        return self.before.accuracy - self.after.accuracy

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data that `json.dumps` takes."""
        return to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "PruningReport":
        """The report that `to_dict` described.

        Args:
            data: plain data, for example `json.loads` of `report.json`.

        Raises:
            ConfigError: a key is unknown, missing or of the wrong type.
        """
        return load(cls, data, "report")
