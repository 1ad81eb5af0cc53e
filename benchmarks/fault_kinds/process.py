"""The command in a process of its own, in which something goes wrong on purpose."""

import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")  # which imports TensorFlow once
_CONTEXT.set_forkserver_preload(
    ["keras_prune.methods.experiment", "keras_prune.training.run", "keras_prune.exporting"]
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_SECONDS = 240


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    Args:
        kind: a key of `_FAULTS`; `"none"` counts the writes alone.
        at: the number of the write it happens at, from 1.
        limits: names of `resource` -> what they are set to, before the work begins.
        closed: descriptors that are closed.
    """

    kind: str = "none"
    at: int = 0
    limits: Mapping[str, int] = field(default_factory=dict)
    closed: Sequence[int] = ()


@dataclass(frozen=True)
class Ended:
    """How a process ended: `code` is negative for a signal, None where it had to be stopped."""

    code: int | None
    out: str
    err: str
    writes: int
    peak_mb: float


def run(
    arguments: Sequence[str],
    folder: Path,
    fault: Fault | None = None,
    environment: Mapping[str, str | None] | None = None,
) -> Ended:
    """Runs `keras-prune`.

    Args:
        arguments: of the command.
        folder: the current directory; faults meet what is written in and below it.
        fault: default none.
        environment: variables that are set, or with None are not.
    """
    said = Path(tempfile.mkdtemp(prefix="said-"))
    process = _CONTEXT.Process(
        target=_child, args=(list(arguments), folder, said, fault or Fault(), environment or {})
    )
    process.start()
    process.join(_SECONDS)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    out, err, writes, peak = (_read(said / name) for name in ("out", "err", "writes", "peak"))
    shutil.rmtree(said)
    return Ended(code, out, err, int(writes or 0), float(peak or 0))


def call(function: Callable[..., None], *arguments: Any) -> None:
    """Calls a function in a process of its own, so that this one needs no TensorFlow."""
    process = _CONTEXT.Process(target=function, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"{function.__name__} ended with {process.exitcode}")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="backslashreplace") if path.exists() else ""


def _child(
    arguments: list[str],
    folder: Path,
    said: Path,
    fault: Fault,
    environment: Mapping[str, str | None],
) -> None:
    for descriptor, name in ((1, "out"), (2, "err")):
        opened = os.open(said / name, os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, descriptor)
    os.chdir(folder)
    for name, value in environment.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    _close(fault.closed)
    for name, most in fault.limits.items():
        resource.setrlimit(getattr(resource, name), (most, most))
    sys.argv = ["keras-prune", *arguments]
    from keras_prune.cli import main

    counter = _Counter(folder, said, fault)
    sys.addaudithook(counter)
    try:
        main()
    finally:
        counter.off = True
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        (said / "peak").write_text(f"{peak:.0f}", encoding="utf-8")
        (said / "writes").write_text(str(counter.writes), encoding="utf-8")


def _close(descriptors: Sequence[int]) -> None:
    """As a shell does with `>&-`: Python finds no stream there."""
    for descriptor in descriptors:
        os.close(descriptor)
        setattr(sys, ("stdin", "stdout", "stderr")[descriptor], None)


class _Counter:
    """Counts what is written below a folder, and lets a fault happen at one of the writes."""

    def __init__(self, folder: Path, said: Path, fault: Fault) -> None:
        self._folder, self._said, self._fault = str(folder), said, fault
        self.writes, self.off = 0, False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.off or not self._is_write(event, arguments):
            return
        self.writes += 1
        if self._fault.kind != "none" and self.writes >= self._fault.at:
            self.off = self._fault.kind not in _LASTING
            _FAULTS[self._fault.kind](Path(self._folder))

    def _is_write(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "open":
            path, mode, flags = arguments
            writes = bool(flags & _WRITING) if mode is None else bool(set("wax+") & set(mode))
        elif event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir"):
            path, writes = arguments[0], True
        else:
            return False
        return writes and isinstance(path, str | Path) and self._is_below(str(path))

    def _is_below(self, path: str) -> bool:
        return os.path.join(self._folder, path).startswith(self._folder)


def _kill(_: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _end(_: Path) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _full(_: Path) -> None:
    raise OSError(28, "No space left on device")


def _read_only(_: Path) -> None:
    raise OSError(30, "Read-only file system")


def _removed(folder: Path) -> None:
    shutil.rmtree(folder / "run", ignore_errors=True)


_FAULTS = {
    "kill": _kill, "end": _end, "full": _full, "read-only": _read_only, "removed": _removed,
}  # fmt: skip
_LASTING = ("full", "read-only")
"""Faults that do not pass: every later write meets them, too."""
