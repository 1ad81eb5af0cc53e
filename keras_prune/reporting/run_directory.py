"""The directory of one run: made once, never overwritten, every file whole or absent."""

import contextlib
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from filelock import FileLock, Timeout

from keras_prune.errors import ConfigError
from keras_prune.utils.drafts import sweep
from keras_prune.utils.files import read_json, whole_file
from keras_prune.utils.reasons import reason
from keras_prune.utils.text import printable_frame

from .report import PruningReport
from .training_report import TrainingReport

if TYPE_CHECKING:
    import keras
    import pandas as pd

R = TypeVar("R", PruningReport, TrainingReport)

_REPORT = "report.json"

_DRAFTS = (".*-[0-9]*.*", ".files")
"""Names of what is being written: files, and the forms of a sparse network."""

_LOCKS = (".lock", ".owner")
"""Names of what says whose the directory is."""


class RunDirectory:
    """Where a run writes its files. Made with `create`.

    Args:
        path: the directory; it exists.
        made: the folders around it that were made for it, the innermost first.
    """

    def __init__(self, path: Path, made: Sequence[Path] = ()) -> None:
        self.path = path
        self._made = made
        self._held = False

    @classmethod
    def create(cls, path: str | Path) -> "RunDirectory":
        """Makes the directory, or takes an empty one.

        One that a process has only begun to fill when it was killed counts as empty.

        Args:
            path: the directory. Missing parents are made too.

        Raises:
            ConfigError: it holds files already, is a file, or cannot be written.
        """
        path = Path(path)
        try:
            missing = [parent for parent in path.parents if not parent.exists()]
            path.mkdir(parents=True, exist_ok=True)
            if any(not _is_draft(found) and found.name not in _LOCKS for found in path.iterdir()):
                raise ConfigError(
                    f"The run directory {path} is not empty. A run is never overwritten: "
                    "give another --out or remove the directory."
                )
            with tempfile.TemporaryFile(dir=path):
                return cls(path, missing)
        except OSError as error:
            raise ConfigError(
                f"Cannot write the run directory {path}: {error.strerror}. Give another --out."
            ) from error

    @classmethod
    def open(cls, path: str | Path) -> "RunDirectory":
        """The directory of a run that goes on or has ended, or else a new one.

        Args:
            path: the directory.

        Raises:
            ConfigError: it holds files of something else, is a file, or cannot be written.
        """
        path = Path(path)
        if (path / "state").is_dir() or (path / "report.json").is_file():
            return cls(path)
        return cls.create(path)

    @classmethod
    def existing(cls, path: str | Path) -> "RunDirectory":
        """The directory of a run that was killed and is to go on.

        Args:
            path: the directory.

        Raises:
            ConfigError: it is no run's.
        """
        if not (Path(path) / "config.toml").is_file():
            raise ConfigError(
                f"Expected the directory of a run with its config.toml. Received: {path}. "
                "Start the run anew with another --out."
            )
        return cls(Path(path))

    @staticmethod
    def default_path(recipe: str) -> Path:
        """`runs/<recipe>-<UTC time>`, for example `runs/vgg16-20260102-030405`.

        A second run of the same second gets a `-2` behind it.

        Args:
            recipe: the recipe's name.
        """
        named = Path("runs") / f"{recipe}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        path, number = named, 1
        while path.exists():
            number += 1
            path = named.with_name(f"{named.name}-{number}")
        return path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def write_text(self, name: str, text: str) -> Path:
        """Writes a text file and returns its path."""
        return self._write(name, lambda draft: draft.write_text(text, encoding="utf-8"))

    def write_json(self, name: str, data: Any) -> Path:
        """Writes plain data as indented JSON and returns the file's path."""
        return self.write_text(name, json.dumps(data, indent=2) + "\n")

    def read_json(self, name: str) -> Any:
        """What a JSON file holds.

        Raises:
            ConfigError: it cannot be read.
        """
        try:
            return read_json(self.path / name)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{self.path / name} cannot be read: {reason(error)}. Give another directory."
            ) from error

    def read_report(self, kind: type[R]) -> R:
        """The report of the run that has ended here.

        Args:
            kind: its class.

        Raises:
            ConfigError: it cannot be read, or is none.
        """
        found = self.read_json(_REPORT)
        try:
            return kind.from_dict(found)
        except ConfigError as error:
            raise ConfigError(
                f"{self.path / _REPORT} is no report of such a run: {error}"
            ) from error

    def write_frame(self, name: str, frame: "pd.DataFrame") -> Path:
        """Writes a table as CSV without its index and returns the file's path."""
        shown = printable_frame(frame)
        return self._write(name, lambda draft: shown.to_csv(draft, index=False))

    def save_model(self, name: str, model: "keras.Model") -> Path:
        """Saves a Keras model, for example as `pruned.keras`, and returns the file's path."""
        return self._write(name, model.save)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """The block has the directory to itself; the system frees it if the process dies.

        Inside such a block another one of the same object changes nothing.

        Raises:
            ConfigError: another process works in it.
        """
        if self._held:
            yield
            return
        owner = self.path / ".owner"
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            with contextlib.suppress(OSError):
                known = owner.read_text(encoding="utf-8")
                raise ConfigError(_busy(self.path, known)) from error
            raise ConfigError(_busy(self.path, "another process")) from error
        try:
            now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
            owner.write_text(
                f"process {os.getpid()} on {socket.gethostname()}, since {now}", encoding="utf-8"
            )
            self._sweep()
            self._held = True
            yield
        finally:
            self._held = False
            owner.unlink(missing_ok=True)
            (self.path / ".lock").unlink(missing_ok=True)
            lock.release()

    def _sweep(self) -> None:
        """Removes what a killed process had not written to its end."""
        sweep(self.path)
        for draft in filter(_is_draft, self.path.iterdir()):
            if draft.is_dir():
                shutil.rmtree(draft, ignore_errors=True)
            else:
                draft.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Removes a folder that the run needs no more, if it is there."""
        shutil.rmtree(self.path / name, ignore_errors=True)

    def remove_if_empty(self) -> bool:
        """Removes the directory if nothing was written to it; says whether it did.

        With it go the folders that were made for it, as far as they are empty, too.
        """
        with contextlib.suppress(OSError):  # raised when it is not empty
            (self.path / ".lock").unlink(missing_ok=True)
            for path in (self.path, *self._made):
                path.rmdir()
        return not self.path.exists()

    def _write(self, name: str, write: Callable[[Path], Any]) -> Path:
        with whole_file(self.path / name) as draft:
            write(draft)
        return self.path / name


def _is_draft(path: Path) -> bool:
    """Whether a file is being written, or was by a process that was killed."""
    return any(path.match(pattern) for pattern in _DRAFTS)


def _busy(path: Path, owner: str) -> str:
    return (
        f"The run directory {path} is in use by {owner}. Wait until that run has ended, or give "
        "another directory."
    )
