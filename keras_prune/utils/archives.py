"""Files that would unpack to more than anybody expects are refused before memory is taken."""

from __future__ import annotations

import math
import shutil
import zipfile
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import h5py
import numpy as np

from keras_prune.errors import ModelError
from keras_prune.utils.environment import number

VARIABLE, MOST = "KERAS_PRUNE_MAX_UNPACKED_BYTES", 2**32


def check_unpacked(path: Path) -> None:
    """Refuses an archive whose members declare more bytes than the limit, and than it has itself.

    None of them can be read beyond what it declares.

    Args:
        path: a `.keras`, `.kpz` or `.npz` file.

    Raises:
        ModelError: it would unpack to more than `KERAS_PRUNE_MAX_UNPACKED_BYTES`, default 4 GiB,
            and to more than twice its size.
    """
    with zipfile.ZipFile(path) as archive:
        declared = sum(member.file_size for member in archive.infolist())
    check_bytes(path, declared)


def check_bytes(path: Path, declared: int) -> None:
    """Likewise for a number of bytes that something in the file declares."""
    most = most_bytes(path, MOST)
    if declared > most:
        raise ModelError(
            f"{path} would unpack to {declared:,} bytes; at most {most:,.0f} are taken. If you "
            f"trust it, let {VARIABLE} be more."
        )


def check_hdf5(path: Path, file: Path | IO[bytes]) -> int:
    """Likewise for the arrays of an HDF5 file, which may be compressed or not be there at all.

    Args:
        path: what the message calls the file.
        file: the file, or where it begins.

    Returns:
        How many bytes they take.
    """
    sizes = []

    def count(_: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset):
            sizes.append(math.prod(found.shape or ()) * found.dtype.itemsize)

    with h5py.File(file, "r") as opened:
        opened.visititems(count)
    check_bytes(path, sum(sizes))
    return sum(sizes)


def check_weights(path: Path) -> int:
    """Likewise for the arrays in a `.keras` file."""
    with (
        zipfile.ZipFile(path) as archive,
        archive.open("model.weights.h5") as packed,
        TemporaryFile() as file,  # HDF5 is read here and there, and a member from its beginning
    ):
        shutil.copyfileobj(packed, file)
        return check_hdf5(path, file)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file by name.

    Raises:
        ModelError: it would unpack to more than the limit.
        ValueError: an array is damaged or no plain numbers, or lacks what its header declares.
    """
    check_unpacked(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except MemoryError as error:  # NumPy believes the header, and finds out as it reads
        raise ValueError(f"{path.name} declares more than there is memory") from error


def most_bytes(path: Path, default: int) -> float:
    """How many bytes a file may become, if nothing else is said."""
    return max(number(VARIABLE, default), 2 * path.stat().st_size)
