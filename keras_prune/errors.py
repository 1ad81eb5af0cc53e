"""The error tree: everything a user can cause, and nothing else.

    KerasPruneError
    ├── ConfigError    an option or a configuration key is wrong
    ├── DataError      a data set is unknown, absent or unusable
    ├── ModelError     a model or weights file cannot be used
    ├── PlanError      a pruning plan does not fit its model
    └── ExportError    an exported file does not compute what the model does

    ResultWarning      what a run begins with, comes to or leaves needs a second look

Every message says what was expected, what came and what to do. The command line turns any of them
into one line and exit code 2.
"""

import difflib
from collections.abc import Iterable, Mapping


class KerasPruneError(Exception):
    """Base of every error this package raises for a user's mistake."""


class ConfigError(KerasPruneError):
    """An option or a configuration key is wrong."""


class DataError(KerasPruneError):
    """A data set is unknown, absent or unusable."""


class ModelError(KerasPruneError):
    """A model or weights file cannot be used."""


class PlanError(KerasPruneError):
    """A pruning plan does not fit the model it is applied to."""


class ExportError(KerasPruneError):
    """An exported file does not compute what its model does."""


class ResultWarning(UserWarning):
    """A network is at chance, little is left of it, or a file of it could not be made."""


LISTED = 20
"""How many names a message lists: a network may have hundreds of layers."""


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The message for a name that is not on a list, with the nearest one that is.

    Example:

    >>> unknown("data set", "cifar", ["cifar10", "mnist"])
    "Unknown data set 'cifar'. Did you mean 'cifar10'? Known: cifar10, mnist."
    """
    known = sorted(known)
    more = f", and {len(known) - LISTED} more" if len(known) > LISTED else ""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"Unknown {kind} {name!r}.{hint} Known: {', '.join(known[:LISTED])}{more}."


def reasons(named: Mapping[str, str]) -> str:
    """Names with the reason of each, the first few of many.

    Example:

    >>> reasons({"own": "no rule for the layer Own"})
    "'own' (no rule for the layer Own)"
    """
    told = [f"{name!r} ({reason})" for name, reason in list(named.items())[:3]]
    more = len(named) - len(told)
    return ", ".join([*told, *([f"{more} more"] if more else [])])
