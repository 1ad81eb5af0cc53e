"""Hands what a run tells to all observers, and goes on without one that fails."""

import contextlib
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_prune.tracking.observer import Epoch, Observer, reason
from keras_prune.utils.progress import Progress, Watcher, silent

if TYPE_CHECKING:
    import keras

    from keras_prune.reporting import ModelFigures


class Observers:
    """All that are told of a run, as one.

    Args:
        observers: who is told.
        watcher: a function that is told of progress, too.
        warn: called with one sentence when an observer fails. It is told nothing more then, for
            the run's own files are what counts.

    Example:

    >>> Observers().training("fine-tune", pruned=True)
    []
    """

    def __init__(
        self,
        observers: Iterable[Observer] = (),
        *,
        watcher: Watcher = silent,
        warn: Callable[[str], Any] = warnings.warn,
    ) -> None:
        self._observers = list(observers)
        self._watcher = watcher
        self._warn = warn
        self._epochs: Counter[bool] = Counter()
        self._steps: Counter[str] = Counter()

    def watched_by(self, watcher: Watcher) -> "Observers":
        """The same observers, and a function that is told of progress."""
        self._watcher = watcher
        return self

    def progress(self, progress: Progress) -> None:
        """Tells how far something has come."""
        self._watcher(progress)
        self._tell(lambda observer: observer.progress(progress))

    @contextlib.contextmanager
    def run(self, folder: Path, config: Mapping[str, Any]) -> Iterator["Observers"]:
        """Records the block as one run, named after its folder.

        Args:
            folder: the run's own files, which are recorded at the end, however it ends.
            config: the resolved configuration, nested.

        Raises:
            ConfigError: an observer cannot start.
        """
        for observer in self._observers:
            observer.start(folder.name, config)
        status = "FAILED"
        try:
            yield self
            status = "FINISHED"
        except KeyboardInterrupt:
            status = "KILLED"
            raise
        finally:
            self._tell(lambda observer: observer.end(status, folder))

    def training(
        self,
        stage: str,
        *,
        pruned: bool = False,
        past: Callable[[], Iterable[Mapping[str, float]]] = tuple,
    ) -> "list[keras.callbacks.Callback]":
        """The callbacks that record one training; none where nothing is recorded.

        Args:
            stage: its name, another one for each training of a run.
            pruned: whether the network has been pruned.
            past: returns the epochs of it that an earlier process has finished.
        """
        if not self._observers:
            return []
        from keras_prune.tracking.epochs import Epochs  # Keras is slow to import

        recording = Epochs(partial(self._epoch, stage, pruned, self._epochs[pruned]))
        self.past(stage, past(), pruned=pruned)
        return [recording]

    def past(
        self, stage: str, rows: Iterable[Mapping[str, float]], *, pruned: bool = False
    ) -> None:
        """Records the epochs of a training that took place before this process.

        Args:
            stage: its name.
            rows: as in `training.History`.
            pruned: whether the network had been pruned.
        """
        earlier = self._epochs[pruned]
        for row in rows:
            self._epoch(stage, pruned, earlier, int(row["epoch"]), row)

    def step(self, series: str, figures: Mapping[str, float]) -> None:
        """Records one step of anything but a training.

        Args:
            series: what it works on, for example a channel group. Its steps are counted.
            figures: figures of the moment.
        """
        self._steps[series] += 1
        self._tell(lambda observer: observer.step(series, self._steps[series], figures))

    def final(
        self,
        before: "ModelFigures",
        after: "ModelFigures | None" = None,
        objective: str = "accuracy",
    ) -> None:
        """Records the figures of a network, and of what pruning made of it.

        Args:
            before: the trained network's.
            after: the pruned one's, if any.
            objective: the metric they were judged by.
        """
        figures = _named(before, objective), _named(after, objective) if after else {}
        self._tell(lambda observer: observer.final(*figures))

    def _epoch(
        self, stage: str, pruned: bool, earlier: int, number: int, row: Mapping[str, float]
    ) -> None:
        self._epochs[pruned] = earlier + number
        figures = {name: value for name, value in row.items() if name != "epoch"}
        epoch = Epoch(stage, number, earlier + number, pruned, figures)
        self._tell(lambda observer: observer.epoch(epoch))

    def _tell(self, tell: Callable[[Observer], None]) -> None:
        for observer in tuple(self._observers):
            try:
                tell(observer)
            except Exception as error:  # whatever it is: a log must not end a run of hours
                self._observers.remove(observer)
                self._warn(
                    f"{observer.place} failed ({reason(error)}). The run goes on without it; "
                    "its own files are whole."
                )


unobserved = Observers()
"""Nobody is told: the default."""


def _named(figures: "ModelFigures", objective: str) -> dict[str, float]:
    """Figures under names that say which data they were measured on."""
    named = {"test": f"test_{objective}", "validation": f"validation_{objective}"}
    found = {
        named.get(name, name): value
        for name, value in vars(figures).items()
        if name != "metrics" and value is not None
    }
    loss = found.pop("loss", None)
    return found if loss is None else {"test_loss": loss, **found}
