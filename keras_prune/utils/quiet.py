"""Silencing libraries that write to the process' own output, from Python and from C++."""

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator
from typing import TextIO

from keras_prune.utils.in_common import in_common


@in_common
@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drops all output of the block, and Python warnings; of other threads, too, while it lasts.

    Both levels are needed: the TFLite converter prints from C++ to file descriptors 1 and 2, Keras
    prints to `sys.stdout`, which may be something else than descriptor 1.
    """
    with (
        quiet_descriptors(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


@in_common
@contextlib.contextmanager
def quiet_descriptors() -> Iterator[None]:
    """Drops what the block writes to file descriptors 1 and 2.

    `sys.stdout` and `sys.stderr` stay the objects they are, so that a logging handler made inside
    the block, as on importing TensorFlow, still works after it.
    """
    open_descriptors()
    streams = (sys.stdout, sys.stderr)
    _flush(streams)
    with contextlib.ExitStack() as stack:
        for descriptor in (1, 2):
            stack.enter_context(_to_null(descriptor))
        stack.callback(_flush, streams)  # what they still hold belongs to the block
        yield


def open_descriptors() -> None:
    """Opens those of the descriptors 0, 1 and 2 that are closed, on the null device.

    Else the next file that is opened takes the number, and what is printed lands in it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            point(descriptor, null)


def point(descriptor: int, file: int) -> None:
    """Lets a descriptor stand for an open file, whose own descriptor is closed."""
    if descriptor == file:
        os.set_inheritable(file, True)  # as `dup2` makes it
        return
    os.dup2(file, descriptor)
    os.close(file)


def _flush(streams: tuple[TextIO | None, ...]) -> None:
    """Empties what is there and open; a reader that has gone is the next writer's to find out."""
    for stream in streams:
        if stream is not None and not stream.closed:
            with contextlib.suppress(OSError):
                stream.flush()


@contextlib.contextmanager
def _to_null(descriptor: int) -> Iterator[None]:
    saved = os.dup(descriptor)
    point(descriptor, os.open(os.devnull, os.O_WRONLY))
    try:
        yield
    finally:
        point(descriptor, saved)
