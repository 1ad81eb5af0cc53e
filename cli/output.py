"""What a command says beside its results: on the terminal, and in the log of a run."""

import contextlib
import json
import logging
import shlex
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click

from keras_prune.utils.redaction import redacted
from keras_prune.utils.text import printable

LOG = "log.txt"
"""The log's name in a run directory."""

logger = logging.getLogger("keras_prune")
progress_logger = logging.getLogger("keras_prune.progress")
"""What the terminal shows in a way of its own."""


@dataclass
class Output:
    """How much one call of the command says.

    Args:
        quiet: only errors and what was asked for.
        verbose: all that the log says.
        debug: the traceback of an error, too.
    """

    quiet: bool = False
    verbose: bool = False
    debug: bool = False

    @property
    def level(self) -> int:
        """What is less than this level of `logging` is not shown."""
        if self.quiet:
            return logging.ERROR
        return logging.INFO if self.verbose else logging.WARNING

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Log records and Python's warnings of the block are lines on stderr."""
        terminal, before = _Terminal(self), warnings.showwarning
        propagate, level = logger.propagate, logger.level
        logger.propagate = False  # TensorFlow's libraries show what reaches the root
        logger.setLevel(logging.INFO)
        logger.addHandler(terminal)
        warnings.showwarning = lambda message, *_: logger.warning("%s", message)
        try:
            yield
        finally:
            warnings.showwarning = before
            logger.removeHandler(terminal)
            logger.propagate, logger.level = propagate, level


def outgoing(text: str) -> str:
    """A text that may leave: nothing in it steers a terminal, and no password is in it."""
    return printable(redacted(text))


def say(*lines: str, err: bool = False) -> None:
    """Prints lines that may leave.

    Args:
        lines: the lines.
        err: whether they go to stderr.
    """
    for line in lines:
        click.echo(outgoing(line), err=err)


def say_json(data: Any) -> None:
    """Prints plain data as JSON, which is all of visible ASCII."""
    click.echo(json.dumps(data, indent=2).replace("\x7f", "\\u007f"))


def output() -> Output:
    """How much the command that is running says."""
    return click.get_current_context().find_root().ensure_object(Output)


class RunLog(logging.FileHandler):
    """The log of a run while the block lasts; there is no file before there is something to log.

    Args:
        folder: the run directory.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / LOG, encoding="utf-8", delay=True)
        self.setFormatter(_Formatter("%(asctime)s %(levelname)s %(message)s"))
        self.path = folder / LOG

    def failed(self, error: BaseException, *, traceback: bool = False) -> None:
        """Logs what ended the run; the terminal is told elsewhere."""
        found = (type(error), error, error.__traceback__) if traceback else None
        text = str(error) or type(error).__name__
        self.handle(logging.LogRecord(logger.name, logging.ERROR, "", 0, text, None, found))

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record; a log that cannot be written is no reason to end the work."""
        with contextlib.suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Likewise, where its file is open and the disk is full."""

    def __enter__(self) -> Self:
        logger.addHandler(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        logger.removeHandler(self)
        self.close()

    def _open(self) -> Any:
        stream: Any = super()._open()
        call = outgoing(shlex.join(sys.argv))
        stream.write(f"# keras-prune {version('keras-prune')}: {call}\n")
        return stream


class _Formatter(logging.Formatter):
    """A line for each record, and a line for each of a traceback's."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # of the library
        return outgoing(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return "\n".join(map(outgoing, super().formatException(ei).splitlines()))


class _Terminal(logging.Handler):
    def __init__(self, told: Output) -> None:
        super().__init__()
        self._output = told

    def emit(self, record: logging.LogRecord) -> None:
        """Prints one line, unless it is below what is shown."""
        if record.levelno < self._output.level or record.name == progress_logger.name:
            return
        kind = f"{record.levelname.capitalize()}: " if record.levelno >= logging.WARNING else ""
        say(kind + " ".join(record.getMessage().split()), err=True)
