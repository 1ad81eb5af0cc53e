"""How large a model file is, and how large a download."""

import zlib
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 2**20


def size(path: Path) -> int:
    """Bytes of a file, or of all files of a directory."""
    return sum(file.stat().st_size for file in _files(path))


def gzip_size(path: Path) -> int:
    """Bytes of a file, or of all files of a directory, each compressed by itself."""
    return sum(map(_compressed, _files(path)))


def _files(path: Path) -> Iterator[Path]:
    files = path.rglob("*") if path.is_dir() else [path]
    return (file for file in files if file.is_file())


def _compressed(path: Path) -> int:
    packer = zlib.compressobj(wbits=31)  # 31: with gzip's header
    with path.open("rb") as file:
        written = sum(len(packer.compress(block)) for block in iter(lambda: file.read(_BLOCK), b""))
    return written + len(packer.flush())
