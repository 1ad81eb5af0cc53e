"""Numbers that environment variables hold."""

import math
import os

from keras_prune.errors import ConfigError


def number(variable: str, default: float) -> float:
    """What an environment variable says.

    Args:
        variable: its name.
        default: what holds where it is not set.

    Raises:
        ConfigError: it is no number.

    Example:

    >>> number("KERAS_PRUNE_CHECKPOINT_SECONDS", 30.0)
    30.0
    """
    given = os.environ.get(variable, default)
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise ConfigError(f"Expected {variable} to be a number. Received: {given!r}.")
    return value
