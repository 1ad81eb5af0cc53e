"""Archives that would unpack to more than anybody expects are refused before memory is taken."""

from __future__ import annotations

import zipfile
from pathlib import Path

from keras_prune.errors import ModelError
from keras_prune.utils.environment import number

_VARIABLE, _MOST = "KERAS_PRUNE_MAX_UNPACKED_BYTES", 2**32


def check_unpacked(path: Path) -> None:
    """Refuses an archive whose members declare more bytes than the limit, and than it has itself.

    None of them can be read beyond what it declares.

    Args:
        path: a `.keras` or `.kpz` file.

    Raises:
        ModelError: it would unpack to more than `KERAS_PRUNE_MAX_UNPACKED_BYTES`, default 4 GiB,
            and to more than twice its size.
    """
    with zipfile.ZipFile(path) as archive:
        declared = sum(member.file_size for member in archive.infolist())
    check_bytes(path, declared)


def check_bytes(path: Path, declared: int) -> None:
    """Likewise for a number of bytes that something in the archive declares."""
    most = max(number(_VARIABLE, _MOST), 2 * path.stat().st_size)
    if declared > most:
        raise ModelError(
            f"{path} would unpack to {declared:,} bytes; at most {most:,.0f} are taken. If you "
            f"trust it, let {_VARIABLE} be more."
        )
