"""A folder that holds the last states of something that may be killed at any moment."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from keras_prune.utils.files import read_json, sha256

_MANIFEST = "manifest.json"
_KEPT = 2


class Generations:
    """Numbered folders of files, each whole or not there; two are kept.

    The files of a generation are written to a folder of another name, flushed to disk with their
    SHA-256 sums, and renamed together.

    Args:
        folder: where; made when something is saved.

    Example:

    >>> import tempfile
    >>> kept = Generations(Path(tempfile.mkdtemp()) / "state")
    >>> kept.save(lambda place: (place / "a.txt").write_text("1"))
    >>> [(place / "a.txt").read_text() for place in kept.newest_first()]
    ['1']
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: list[str] = []

    def save(self, write: Callable[[Path], object]) -> None:
        """Makes a new generation.

        Args:
            write: writes its files into the folder it is called with.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        number = max(self._numbers(), default=0) + 1
        for left in self.folder.glob(".draft-*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        draft = self.folder / f".draft-{os.getpid()}"
        draft.mkdir()
        try:
            write(draft)
            sums = {path.name: _flushed(path) for path in sorted(draft.iterdir())}
            (draft / _MANIFEST).write_text(json.dumps(sums, indent=2), encoding="utf-8")
            _flushed(draft / _MANIFEST)
            os.replace(draft, self.folder / f"{number:06d}")
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        for old in self._numbers()[:-_KEPT]:
            shutil.rmtree(self.folder / f"{old:06d}", ignore_errors=True)

    def newest_first(self) -> Iterator[Path]:
        """The generations whose files are whole; `damaged` names the others that were passed."""
        for number in reversed(self._numbers()):
            place = self.folder / f"{number:06d}"
            if _whole(place):
                yield place
            else:
                self.damaged.append(place.name)

    def clear(self) -> None:
        """Removes all generations."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _numbers(self) -> list[int]:
        if not self.folder.is_dir():
            return []
        return sorted(int(path.name) for path in self.folder.iterdir() if path.name.isdigit())


def _whole(place: Path) -> bool:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sums = read_json(place / _MANIFEST)
        return all(
            Path(name).name == name and (place / name).is_file() and sha256(place / name) == sum_
            for name, sum_ in sums.items()
        )
    return False


def _flushed(path: Path) -> str:
    """The sum of a file whose content is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return sha256(path)
