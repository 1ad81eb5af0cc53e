"""Silencing libraries that write to the process' own output, from Python and from C++."""

import contextlib
import io
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drops all output of the block, and Python warnings.

    Both levels are needed: the TFLite converter prints from C++ to file descriptors 1 and 2, Keras
    prints to `sys.stdout`, which may be something else than descriptor 1. Output belongs to the
    process: what other threads write meanwhile is dropped, too.
    """
    with _DESCRIPTORS, _STREAMS:
        yield


@contextlib.contextmanager
def quiet_descriptors() -> Iterator[None]:
    """Drops what the block writes to file descriptors 1 and 2.

    `sys.stdout` and `sys.stderr` stay the objects they are, so that a logging handler made inside
    the block, as on importing TensorFlow, still works after it.
    """
    with _DESCRIPTORS:
        yield


class _Shared:
    """A block that several threads may be in: the first one begins it, the last one ends it.

    Args:
        begin: returns the block anew.
    """

    def __init__(self, begin: Callable[[], AbstractContextManager[None]]) -> None:
        self._begin, self._lock, self._count = begin, threading.Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._count:
                self._block = self._begin()
                self._block.__enter__()
            self._count += 1

    def __exit__(self, *_: Any) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                self._block.__exit__(None, None, None)


@contextlib.contextmanager
def _dropped_streams() -> Iterator[None]:
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _dropped_descriptors() -> Iterator[None]:
    _flush()
    with contextlib.ExitStack() as stack:
        for descriptor in (1, 2):
            stack.enter_context(_to_null(descriptor))
        stack.callback(_flush)  # what they still hold belongs to the block
        yield


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as in a process that was started without one
            stream.flush()


@contextlib.contextmanager
def _to_null(descriptor: int) -> Iterator[None]:
    try:
        saved = os.dup(descriptor)
    except OSError:  # it is closed: there is nothing to drop
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, descriptor)
        yield
    finally:
        os.dup2(saved, descriptor)
        os.close(saved)
        os.close(null)


_DESCRIPTORS, _STREAMS = _Shared(_dropped_descriptors), _Shared(_dropped_streams)
