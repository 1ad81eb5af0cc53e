"""Silencing libraries that write to the process' own output, from Python and from C++."""

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drops all output of the block, and Python warnings.

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


@contextlib.contextmanager
def quiet_descriptors() -> Iterator[None]:
    """Drops what the block writes to file descriptors 1 and 2.

    `sys.stdout` and `sys.stderr` stay the objects they are, so that a logging handler made inside
    the block, as on importing TensorFlow, still works after it.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.ExitStack() as stack:
        for descriptor in (1, 2):
            stack.enter_context(_to_null(descriptor))
        for stream in (sys.stdout, sys.stderr):  # what they still hold belongs to the block
            stack.callback(stream.flush)
        yield


@contextlib.contextmanager
def _to_null(descriptor: int) -> Iterator[None]:
    saved = os.dup(descriptor)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, descriptor)
        yield
    finally:
        os.dup2(saved, descriptor)
        os.close(saved)
        os.close(null)
