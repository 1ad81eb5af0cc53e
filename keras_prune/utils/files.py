"""Files are written whole or not at all."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary sibling to write to; it takes the path's place only if nothing was raised.

    The sibling keeps the path's suffix, for writers that choose a format by it.
    """
    sibling = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        yield sibling
        os.replace(sibling, path)
    finally:
        sibling.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text file whole or not at all."""
    with whole_file(path) as sibling:
        sibling.write_text(text, encoding="utf-8")


def sha256(path: Path) -> str:
    """The SHA-256 sum of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
