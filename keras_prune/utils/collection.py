"""Python's search for garbage, put off."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Keeps Python from looking for garbage among the many objects that are being made.

    Each look goes through all objects of the backend as well, which took a third of the time of a
    surgery and most of that of a walk.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
