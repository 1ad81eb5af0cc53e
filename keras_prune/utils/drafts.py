"""Folders that are written to in secret; what killed processes have left of them is removed."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX, _LOCK = ".export-", ".lock"
_SECONDS = 60
"""A folder without a lock that is older belongs to nobody."""


@contextlib.contextmanager
def draft_folder(parent: Path) -> Iterator[Path]:
    """A folder in another one, to write what is then moved out of it; it is removed at the end.

    Args:
        parent: the other one.

    Raises:
        OSError: it cannot be written to.
    """
    sweep(parent)
    with tempfile.TemporaryDirectory(dir=parent, prefix=_PREFIX) as name:
        lock = FileLock(Path(name) / _LOCK)
        with lock:  # the system frees it if the process dies
            yield Path(name)


def sweep(parent: Path) -> None:
    """Removes the folders whose processes were killed.

    Args:
        parent: the folder that they are in.
    """
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(Timeout, OSError):
            if (folder / _LOCK).exists():
                with FileLock(folder / _LOCK, timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)
            elif time.time() - folder.stat().st_mtime > _SECONDS:  # else it may be locked soon
                shutil.rmtree(folder, ignore_errors=True)
