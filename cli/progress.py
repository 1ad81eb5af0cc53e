"""Progress on stderr: live bars on a terminal, a line now and then elsewhere, and in the log."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress

from keras_prune.utils.progress import Progress, Watcher
from keras_prune.utils.text import printable

from .output import output, progress_logger, say
from .tables import console

LINE_EVERY = 15.0
"""Seconds between two lines of one stage where there is no terminal."""

_VERBOSE_EVERY, _LOG_EVERY = 1.0, 60.0


@contextlib.contextmanager
def display() -> Iterator[Watcher]:
    """A watcher that shows and logs what it is told until the block ends."""
    log = Lines(progress_logger.info, _LOG_EVERY)
    with _shown() as shown:

        def watcher(progress: Progress) -> None:
            log(progress)
            if shown is not None:
                shown(progress)

        yield watcher


@contextlib.contextmanager
def _shown() -> Iterator[Watcher | None]:
    """What the terminal shows: bars or lines, or nothing."""
    terminal, told = console(stderr=True), output()
    if told.quiet:
        yield None
    elif told.verbose or not terminal.is_terminal:
        every = _VERBOSE_EVERY if told.verbose else LINE_EVERY
        yield Lines(partial(say, err=True), every)
    else:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[metrics]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with RichProgress(*columns, console=terminal) as bars:
            yield Bars(bars)


class Bars:
    """One live bar per running stage; a finished stage becomes a line above the bars.

    Args:
        bars: a started rich display whose columns may use the field `metrics`.
    """

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._clock = Clock()
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, progress: Progress) -> None:
        # Columns do not ask the console.
        stage, metrics = printable(progress.stage), printable(_text(progress.metrics))
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=progress.total, metrics=metrics)
        task = self._tasks[stage]
        self._bars.update(task, completed=progress.done, total=progress.total, metrics=metrics)
        elapsed, _ = self._clock(progress)
        if progress.done >= progress.total:
            self._bars.remove_task(self._tasks.pop(stage))
            self._bars.console.print(f"{stage}  {metrics}  {elapsed}")


class Lines:
    """A line when a stage ends, and now and then while it runs.

    Args:
        write: called with each line.
        every: seconds between two lines of a stage that runs.
    """

    def __init__(self, write: Callable[[str], Any], every: float = LINE_EVERY) -> None:
        self._write, self._every = write, every
        self._clock = Clock()
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        elapsed, remaining = self._clock(progress)
        finished = progress.done >= progress.total
        if not finished and time.monotonic() - self._last < self._every:
            return
        self._last = time.monotonic()
        parts = [
            f"{progress.stage}  {progress.done}/{progress.total}",
            _text(progress.metrics),
            f"elapsed {elapsed}",
            "" if finished else f"remaining {remaining}",
        ]
        self._write("  ".join(filter(None, parts)))


class Clock:
    """Elapsed and remaining time of each stage."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}

    def __call__(self, progress: Progress) -> tuple[str, str]:
        """Elapsed and remaining time of the stage, as `h:mm:ss`; a finished stage is forgotten."""
        now = time.monotonic()
        elapsed = now - self._started.setdefault(progress.stage, now)
        if progress.done >= progress.total:
            del self._started[progress.stage]
        if not progress.done:
            return _time(elapsed), "?"
        return _time(elapsed), _time(elapsed * (progress.total - progress.done) / progress.done)


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _text(metrics: Mapping[str, float]) -> str:
    return " ".join(f"{name}={value:.4g}" for name, value in metrics.items())
