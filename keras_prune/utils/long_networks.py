"""Room for networks of thousands of layers, which Keras follows by calls within calls."""

import contextlib
import sys
from collections.abc import Iterator

from keras_prune.utils.in_common import in_common

_DEPTH = 20_000
"""Python's frames; they take no room on the processor's stack."""


@in_common
@contextlib.contextmanager
def long_networks() -> Iterator[None]:
    """A block in which Keras can make a model that is thousands of layers deep.

    Example:

    >>> with long_networks():
    ...     sys.getrecursionlimit() >= 20_000
    True
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEPTH))
    try:
        yield
    finally:
        with contextlib.suppress(RecursionError):  # another thread is that deep
            sys.setrecursionlimit(before)
