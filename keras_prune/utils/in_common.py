"""Changes of the whole process that several threads may need at once."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

Section = Callable[[], AbstractContextManager[None]]


def in_common(change: Section) -> Section:
    """A change of the whole process that threads share: the first that enters makes it, and the
    last that leaves takes it back.

    Were it each thread's own, one would save what another has changed, and restore that.

    Args:
        change: returns a context manager that makes the change and takes it back.
    """
    lock, made, inside = threading.Lock(), contextlib.ExitStack(), 0

    @contextlib.contextmanager
    def section() -> Iterator[None]:
        nonlocal inside
        with lock:
            if not inside:
                made.enter_context(change())
            inside += 1
        try:
            yield
        finally:
            with lock:
                inside -= 1
                if not inside:
                    made.close()

    return section
