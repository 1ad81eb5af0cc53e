"""Files are written whole or not at all, and read with care."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

_MOST_BYTES = 2**28
"""Of a text that is read whole: a plan of a million channels has ten million."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary sibling to write to; it takes the path's place only if nothing was raised.

    The sibling keeps the path's suffix, for writers that choose a format by it. Its name is no
    other's, also where processes of several containers have one number.
    """
    sibling = path.with_name(f".{path.stem}-{os.getpid()}-{token_hex(4)}{path.suffix}")
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


def read_text(path: Path) -> str:
    """The text of a file that others may have written.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no plain file, is too large, or holds no UTF-8.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ValueError("it is a device or a pipe, not a file")
    if path.is_file() and path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it has {path.stat().st_size:,} bytes, at most {_MOST_BYTES:,} are read")
    return path.read_text(encoding="utf-8")


def read_json(path: Path) -> Any:
    """The content of a JSON file that others may have written.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no JSON, or no plain file.
    """
    try:
        return json.loads(read_text(path))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
