"""Arguments of public functions that are of another kind than expected."""

from numbers import Integral
from typing import Any

from keras_prune.errors import ConfigError
from keras_prune.utils.text import shown


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


def expect_seed(seed: Any) -> int:
    """The seed, if it is one: Keras and NumPy take 32 bits, and each training adds a number to it.

    Args:
        seed: what was given.

    Raises:
        ConfigError: it is no integer from 0 to 2147483647.

    Example:

    >>> expect_seed(3)
    3
    """
    whole = isinstance(seed, Integral) and not isinstance(seed, bool)
    if not (whole and 0 <= seed < 2**31):
        raise ConfigError(f"seed: expected an integer from 0 to 2147483647. Received: {_of(seed)}.")
    return int(seed)


def expect_single_steps(model: Any, callback: str) -> None:
    """Refuses a model that runs several steps between two calls of its callbacks.

    Args:
        model: a compiled Keras model, or what stands for one.
        callback: what looks at every step.

    Raises:
        ConfigError: it was compiled with another `steps_per_execution` than 1.
    """
    if getattr(model, "steps_per_execution", 1) != 1:
        raise ConfigError(
            f"{callback} looks at every step: expected steps_per_execution=1. "
            f"Received: {model.steps_per_execution}."
        )


def _of(value: Any) -> str:
    text = shown(value) if isinstance(value, str | int | float | type(None)) else ""
    return text or f"an object of class {type(value).__name__}"
