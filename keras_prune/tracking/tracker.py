"""Hands what a run tells to all recorders, and goes on without one that fails."""

import contextlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_prune.tracking.recorder import Epoch, Recorder, reason

if TYPE_CHECKING:
    import keras

    from keras_prune.reporting import ModelFigures

_TEST_FIGURES = {"accuracy": "test_accuracy", "loss": "test_loss"}


class Tracker:
    """What a recipe is handed to tell of its trainings and steps.

    Args:
        recorders: who is told; without any, nothing is recorded.
        warn: called with one sentence when a recorder fails. It is told nothing more then, for
            the run's own files are what counts.

    Example:

    >>> Tracker().training("fine-tune", pruned=True)
    []
    """

    def __init__(
        self, recorders: Iterable[Recorder] = (), warn: Callable[[str], Any] = warnings.warn
    ) -> None:
        self._recorders = list(recorders)
        self._warn = warn
        self._epochs: Counter[bool] = Counter()
        self._steps: Counter[str] = Counter()

    @contextlib.contextmanager
    def run(self, folder: Path, config: Mapping[str, Any]) -> Iterator["Tracker"]:
        """Records the block as one run, named after its folder.

        Args:
            folder: the run's own files, which are recorded at the end, however it ends.
            config: the resolved configuration, nested.

        Raises:
            ConfigError: a recorder cannot start.
        """
        for recorder in self._recorders:
            recorder.start(folder.name, config)
        status = "FAILED"
        try:
            yield self
            status = "FINISHED"
        except KeyboardInterrupt:
            status = "KILLED"
            raise
        finally:
            self._tell(lambda recorder: recorder.end(status, folder))

    def training(self, stage: str, *, pruned: bool = False) -> "list[keras.callbacks.Callback]":
        """The callbacks that record one training; none where nothing is recorded.

        Args:
            stage: its name, another one for each training of a run.
            pruned: whether the network has been pruned.
        """
        if not self._recorders:
            return []
        from keras_prune.tracking.epochs import Epochs  # Keras is slow to import

        return [Epochs(partial(self._epoch, stage, pruned, self._epochs[pruned]))]

    def past(self, stage: str, rows: Iterable[Mapping[str, float]]) -> None:
        """Records the epochs of a training that took place before this run.

        Args:
            stage: its name.
            rows: as in `training.History`.
        """
        for row in rows:
            self._epoch(stage, False, 0, int(row["epoch"]), row)

    def step(self, series: str, figures: Mapping[str, float]) -> None:
        """Records one step of anything but a training.

        Args:
            series: what it works on, for example a channel group. Its steps are counted.
            figures: figures of the moment.
        """
        self._steps[series] += 1
        self._tell(lambda recorder: recorder.step(series, self._steps[series], figures))

    def final(self, before: "ModelFigures", after: "ModelFigures | None" = None) -> None:
        """Records the figures of a network, and of what pruning made of it.

        Args:
            before: the trained network's.
            after: the pruned one's, if any.
        """
        figures = _named(before), _named(after) if after else {}
        self._tell(lambda recorder: recorder.final(*figures))

    def _epoch(
        self, stage: str, pruned: bool, earlier: int, number: int, row: Mapping[str, float]
    ) -> None:
        self._epochs[pruned] = earlier + number
        figures = {name: value for name, value in row.items() if name != "epoch"}
        epoch = Epoch(stage, number, earlier + number, pruned, figures)
        self._tell(lambda recorder: recorder.epoch(epoch))

    def _tell(self, tell: Callable[[Recorder], None]) -> None:
        for recorder in tuple(self._recorders):
            try:
                tell(recorder)
            except Exception as error:  # whatever it is: a log must not end a run of hours
                self._recorders.remove(recorder)
                self._warn(
                    f"{recorder.place} failed ({reason(error)}). The run goes on without it; "
                    "its own files are whole."
                )


untracked = Tracker()
"""The tracker that records nothing: the default."""


def _named(figures: "ModelFigures") -> dict[str, float]:
    """Figures under names that say which split they were measured on."""
    return {_TEST_FIGURES.get(name, name): value for name, value in vars(figures).items()}
