"""Arguments of public functions that are of another kind than expected."""

from typing import Any

from keras_prune.errors import ConfigError


def expect_kind(value: Any, kind: type | tuple[type, ...], name: str, wanted: str) -> None:
    """Refuses an argument of another kind.

    Args:
        value: what was given.
        kind: what it has to be an instance of.
        name: of the argument.
        wanted: what is expected, in words, with the way to it.

    Raises:
        ConfigError: it is of another kind.

    Example:

    >>> expect_kind(3, int, "steps", "a whole number")
    """
    if not isinstance(value, kind):
        raise ConfigError(f"{name}: expected {wanted}. Received: {_of(value)}.")


def _of(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float | type(None)) else ""
    return text or f"an object of class {type(value).__name__}"
