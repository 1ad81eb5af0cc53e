"""Files that a long run is to leave: one that cannot be made never costs the run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from keras_prune.utils.reasons import reason

T = TypeVar("T")

_LONGEST = 1000  # characters of a reason


@dataclass(frozen=True)
class Failed:
    """What could not be made.

    Args:
        reason: why, in one line.
    """

    reason: str

    def __str__(self) -> str:
        """The reason as a sentence."""
        return f"{self.reason.rstrip('.')}."


def attempt(make: Callable[[], T]) -> T | Failed:
    """What a function makes, or why it failed.

    Converters, runtimes and full disks raise whatever they raise.

    Example:

    >>> attempt(lambda: 1 / 0)
    Failed(reason='division by zero')
    """
    try:
        return make()
    except Exception as error:
        return Failed(reason(error, _LONGEST))
