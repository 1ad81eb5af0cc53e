"""Models that ask for far more memory than their file has weights are refused beforehand."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_prune.errors import ModelError
from keras_prune.utils.archives import MOST, VARIABLE, most_bytes
from keras_prune.utils.in_common import in_common

_LITTLE = 2**26
"""Variables of so many bytes are made whatever a file holds."""


@contextlib.contextmanager
def limited_variables(path: Path, stored: int) -> Iterator[None]:
    """Refuses a model that has far more weights than its file, before memory is taken for them.

    The block makes a model as a file describes it. All variables are counted as they are asked for,
    whatever layer asks.

    Args:
        path: the file.
        stored: how many bytes its weights take.

    Raises:
        ModelError: variables take more than twice as many bytes, and more than 64 MiB; or more
            than `KERAS_PRUNE_MAX_UNPACKED_BYTES`, if that is set.
    """
    limit = _Limit(most_bytes(path, min(MOST, max(_LITTLE, 2 * stored))))
    limits = vars(_here).setdefault("limits", [])
    with _counted():
        limits.append(limit)
        try:
            yield
        finally:
            limits.remove(limit)
            if limit.asked > limit.most:  # said here: Keras words or drops an error of a layer
                raise ModelError(
                    f"{path} describes a model of more than {limit.most:,.0f} bytes, and holds "
                    f"{stored:,} bytes of weights. If you trust it, let {VARIABLE} be more."
                ) from None


@dataclass(eq=False)
class _Limit:
    """How many bytes variables may take, and have asked for."""

    most: float
    asked: int = 0

    def ask(self, count: int) -> None:
        self.asked += count
        if self.asked > self.most:
            raise MemoryError


_here = threading.local()
"""The limits of each thread: what others load meanwhile does not count."""


@in_common
@contextlib.contextmanager
def _counted() -> Iterator[None]:
    """Every variable is counted before it is made."""
    create = keras.Variable.__init__

    def counted(
        self: Any, initializer: Any, shape: Any = None, dtype: Any = None, *rest: Any, **more: Any
    ) -> None:
        for limit in getattr(_here, "limits", ()):
            limit.ask(_bytes(shape, dtype))
        create(self, initializer, shape, dtype, *rest, **more)

    keras.Variable.__init__ = counted
    try:
        yield
    finally:
        keras.Variable.__init__ = create


def _bytes(shape: Any, dtype: Any) -> int:
    """Of a variable; what has no shape yet begins as an array that is there already."""
    lengths = [shape] if isinstance(shape, int) else list(shape or ())
    if shape is None or None in lengths:
        return 0
    return math.prod(lengths) * np.dtype(keras.backend.standardize_dtype(dtype)).itemsize
