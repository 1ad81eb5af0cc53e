"""What a run tells of itself, and who may listen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_prune.utils.progress import Progress
from keras_prune.utils.redaction import redacted


@dataclass(frozen=True)
class Epoch:
    """One epoch of one training.

    Args:
        stage: the training, unlike any other of the run: `"fine-tune"`, `"fine-tune 2"`.
        number: from 1, of this training.
        step: from 1, of all trainings before pruning, or of all after it.
        pruned: whether the network has been pruned.
        row: figures as in `training.History`, accuracies in percent.
    """

    stage: str
    number: int
    step: int
    pruned: bool
    row: Mapping[str, float]


class Observer:
    """Is told of a run, and shows or records it. A subclass overrides what it has a place for.

    Args:
        place: where, for messages.
    """

    def __init__(self, place: str) -> None:
        self.place = place

    def progress(self, progress: Progress) -> None:
        """Something has come further; told many times a second."""

    def start(self, name: str, config: Mapping[str, Any]) -> None:
        """A run begins.

        Args:
            name: the run's.
            config: its resolved configuration, nested.
        """

    def epoch(self, epoch: Epoch) -> None:
        """A training finished an epoch."""

    def step(self, series: str, step: int, figures: Mapping[str, float]) -> None:
        """Something else, for example an agent on one group, took a step.

        Args:
            series: what it works on.
            step: from 1, counted per series.
            figures: figures of the moment.
        """

    def final(self, before: Mapping[str, float], after: Mapping[str, float]) -> None:
        """The figures of the network, and of what pruning made of it if it did, are known."""

    def end(self, status: str, folder: Path) -> None:
        """The run is over.

        Args:
            status: `"FINISHED"`, `"FAILED"` or `"KILLED"`.
            folder: the run's own files.
        """


def reason(error: BaseException) -> str:
    """One line that says why an observer failed, and names no password.

    What the system said first, such as a refused connection, is clearer than what libraries made
    of it.
    """
    link: BaseException | None = error
    found = str(error).strip() or type(error).__name__
    while link is not None:
        if isinstance(link, OSError) and link.strerror:
            found = link.strerror
        link = link.__context__
    return redacted(found.splitlines()[0]).rstrip(".")
