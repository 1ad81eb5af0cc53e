"""Standard streams that outlive their readers: what is written is lost then, and not the work."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

from keras_prune.utils.quiet import open_descriptors, point


@contextlib.contextmanager
def lasting_streams() -> Iterator[None]:
    """The block can write to `sys.stdout` and `sys.stderr`, whoever reads there, if anybody does.

    What a terminal has no sign for is escaped.
    """
    _open_closed()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_lasting, before)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):  # what counts was written before
                stream.flush()
        sys.stdout, sys.stderr = before


def _open_closed() -> None:
    """Opens what was closed on the null device, also for Python."""
    open_descriptors()
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, "w" if descriptor else "r", closefd=False))  # noqa: SIM115


class _Lasting(io.FileIO):
    """A descriptor for writing; when nobody reads it any more it becomes the null device."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            point(self.fileno(), os.open(os.devnull, os.O_WRONLY))
            return len(data)


def _lasting(stream: Any) -> Any:
    """The same stream in that form; one that is no descriptor stays, as in a notebook."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    try:
        raw = _Lasting(stream.fileno(), "w", closefd=False)
    except OSError:
        stream.reconfigure(errors="backslashreplace")
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
