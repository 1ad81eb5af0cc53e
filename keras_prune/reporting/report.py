"""The report every method returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keras_prune.utils.config import expect, load, to_dict


@dataclass(frozen=True)
class ModelFigures:
    """What one model is worth and what it costs.

    Args:
        test: its objective on the test data, accuracies in percent; None without test data.
        loss: its loss on the test data; None where it is not known.
        validation: its objective on the validation data.
        parameters: number of weights.
        macs: multiply-accumulates for one example.
        flops: 2·MACs plus the bias additions, for one example.
        bytes: size of the weights.
        metrics: all figures on the test data by name.
    """

    test: float | None
    loss: float | None
    validation: float
    parameters: int
    macs: int
    flops: int
    bytes: int
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class GroupReport:
    """How many channels of one group stayed.

    Args:
        name: the group's name.
        channels: its channels before.
        kept: its channels after.

    Raises:
        ConfigError: it had no channels.
    """

    name: str
    channels: int
    kept: int

    def __post_init__(self) -> None:
        expect(self, self.channels >= 1, "channels", "at least 1")


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
        pruned_values: the objective on the validation data right after each cut, before any
            training.
        exports: the exported files, as plain data.
        seconds: how long all processes have worked on the run.
        peak_memory_mb: peak resident memory of the process, in MiB.
        objective: the metric that the run was judged by.
        direction: `"max"` if more of it is better, else `"min"`.
        resumed: how often the run went on after it was killed.
        identity: what tells the run from others: settings, versions, and fingerprints of model and
            data.
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
    pruned_values: tuple[float, ...] = ()
    exports: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    objective: str = "accuracy"
    direction: str = "max"
    resumed: int = 0
    identity: dict[str, str] = field(default_factory=dict)

    @property
    def drop(self) -> float:
        """What the objective lost, in its own units; negative if the pruned model is better.

        On the test data, or without any on the validation data.
        """
        before, after = self.values
        return before - after if self.direction == "max" else after - before

    @property
    def values(self) -> tuple[float, float]:
        """The objective before and after, on the test data or without any on the validation."""
        before, after = self.before, self.after
        if before.test is None or after.test is None:
            return before.validation, after.validation
        return before.test, after.test

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data that `json.dumps` takes."""
        return to_dict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "PruningReport":
        """The report that `to_dict` described.

        Args:
            data: plain data, for example `json.loads` of `report.json`.

        Raises:
            ConfigError: a key is unknown, missing or of the wrong type.
        """
        return load(cls, renamed_figures(data, "before", "after"), "report")


def renamed_figures(report: Any, *names: str) -> Any:
    """A report with the figures under these names called as they are now.

    Version 0.1 knew classifiers only. What is no report stays what it is.
    """
    if not isinstance(report, Mapping):
        return report
    former = {"accuracy": "test", "validation_accuracy": "validation"}
    return {
        name: {former.get(key, key): figure for key, figure in value.items()}
        if name in names and isinstance(value, Mapping)
        else value
        for name, value in report.items()
    }
