"""Conventions by name: what counts as a multiply-accumulate and as an operation."""

from collections.abc import Callable, Sequence

from keras_prune.errors import ConfigError, unknown
from keras_prune.graph import Call
from keras_prune.profiling.counting import Work
from keras_prune.profiling.lenet import lenet
from keras_prune.profiling.rnp import rnp
from keras_prune.profiling.standard import standard

Convention = Callable[[Sequence[Call]], Work]
"""All calls of one layer -> its work on one example."""

_CONVENTIONS: dict[str, Convention] = {"standard": standard, "lenet": lenet, "rnp": rnp}


def available() -> tuple[str, ...]:
    """The names of the conventions, the default first.

    Example:

    >>> available()
    ('standard', 'lenet', 'rnp')
    """
    return tuple(_CONVENTIONS)


def get(name: str) -> Convention:
    """The convention of a name.

    Args:
        name: one of `available()`.

    Raises:
        ConfigError: no convention has that name.
    """
    if name not in _CONVENTIONS:
        raise ConfigError(unknown("counting convention", name, _CONVENTIONS))
    return _CONVENTIONS[name]
