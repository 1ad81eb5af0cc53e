"""One weight as bytes: where its numbers are that are not zero, and which they are."""

from dataclasses import dataclass
from typing import Any

import numpy as np

_ESCAPE = 255
"""A gap this long or longer is this byte and the rest of it."""


@dataclass(frozen=True)
class Encoded:
    """A weight in parts.

    Args:
        positions: what says where the numbers are; empty where all of them are kept.
        values: the numbers, or the codes that stand for them.
        note: what `decode` has to know besides, as plain data.
    """

    positions: bytes
    values: bytes
    note: dict[str, Any]


def encode(array: np.ndarray, codebook: np.ndarray | None = None) -> Encoded:
    """Picks the shortest of three forms: all numbers, a bit for each, or gaps between those kept.

    Args:
        array: the weight.
        codebook: the values that those other than zero were rounded to, at most 256; they are then
            stored as one byte each. Default: stored as they are.

    Example:

    >>> encode(np.array([0, 0, 0, 0, 2.5, 0, 0, 0, 0, 0, 0, 0, 0], "float32")).note
    {'form': 'gaps', 'count': 1}
    """
    flat = array.ravel()
    kept = flat[flat != 0]
    places = {"bits": np.packbits(flat != 0).tobytes(), "gaps": _gaps(np.flatnonzero(flat))}
    form = min(places, key=lambda name: len(places[name]))
    note = {"form": form, "count": len(kept)}
    if codebook is not None:
        note["codebook"] = codebook.tolist()
        return Encoded(
            places[form], np.searchsorted(codebook, kept).astype("uint8").tobytes(), note
        )
    if len(places[form]) + kept.nbytes >= flat.nbytes:
        return Encoded(b"", flat.tobytes(), {"form": "all", "count": flat.size})
    return Encoded(places[form], kept.tobytes(), note)


def decode(encoded: Encoded, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """The weight that `encode` took apart.

    Args:
        encoded: its parts.
        shape: its shape.
        dtype: its type.
    """
    note, flat = encoded.note, np.zeros(int(np.prod(shape)), dtype)
    if note["form"] == "all":
        return np.frombuffer(encoded.values, dtype).reshape(shape).copy()
    flat[_places(encoded, flat.size)] = _values(encoded, dtype)
    return flat.reshape(shape)


def value_bytes(note: dict[str, Any], dtype: np.dtype) -> int:
    """How many bytes of values a weight has.

    Args:
        note: its note.
        dtype: its type.
    """
    return note["count"] * (1 if "codebook" in note else dtype.itemsize)


def _values(encoded: Encoded, dtype: np.dtype) -> np.ndarray:
    if "codebook" not in encoded.note:
        return np.frombuffer(encoded.values, dtype)
    codebook = np.array(encoded.note["codebook"], dtype)
    return codebook[np.frombuffer(encoded.values, "uint8")]


def _places(encoded: Encoded, size: int) -> np.ndarray:
    data = np.frombuffer(encoded.positions, "uint8")
    if encoded.note["form"] == "bits":
        return np.flatnonzero(np.unpackbits(data, count=size))
    ends = np.flatnonzero(data != _ESCAPE)
    return np.cumsum(data, dtype="int64")[ends] + np.arange(len(ends))


def _gaps(places: np.ndarray) -> bytes:
    """The zeros before each number, in a byte or more each."""
    gaps = np.diff(places, prepend=-1) - 1
    escapes, rest = np.divmod(gaps, _ESCAPE)
    data = np.full(int(escapes.sum()) + len(gaps), _ESCAPE, "uint8")
    data[np.cumsum(escapes + 1) - 1] = rest
    return data.tobytes()
