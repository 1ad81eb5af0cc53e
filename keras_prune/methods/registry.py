"""The pruning methods by name. A new one is a folder, and a row here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from keras_prune.errors import ConfigError, unknown

if TYPE_CHECKING:
    from keras_prune.methods.base import Method


@dataclass(frozen=True)
class Entry:
    """Where a method lives.

    Args:
        home: its package.
        method: the class.
        config: the class of its configuration, in the module `config` of the package, which
            imports neither Keras nor TensorFlow.
    """

    home: str
    method: str
    config: str

    def load_method(self) -> type[Method]:
        """The class of the method."""
        found: type[Method] = getattr(import_module(self.home), self.method)
        return found

    def load_config(self) -> type:
        """The class of its configuration."""
        found: type = getattr(import_module(f"{self.home}.config"), self.config)
        return found


def _entry(name: str, method: str) -> Entry:
    return Entry(f"keras_prune.methods.{name}", method, f"{method}Config")


_METHODS: dict[str, Entry] = {
    "filter_agent": _entry("filter_agent", "FilterAgent"),
    "magnitude": _entry("magnitude", "Magnitude"),
    "ranking": _entry("ranking", "Ranking"),
    "rl_pruner": _entry("rl_pruner", "RLPruner"),
    "rnp": _entry("rnp", "RNP"),
}


def available() -> tuple[str, ...]:
    """The names that `get` knows.

    Example:

    >>> available()
    ('filter_agent', 'magnitude', 'ranking', 'rl_pruner', 'rnp')
    """
    return tuple(_METHODS)


def entry(name: str) -> Entry:
    """Where the method of a name lives.

    Raises:
        ConfigError: no method has that name.
    """
    if name not in _METHODS:
        raise ConfigError(unknown("method", name, _METHODS))
    return _METHODS[name]


def get(identifier: Any, **options: Any) -> Method:
    """A method by name, by configuration, or as it is.

    Args:
        identifier: one of `available()`; a dict `{"class_name": name, "config": arguments}`; or a
            method.
        options: arguments of the method, where a name is given.

    Raises:
        ConfigError: no method has that name, or an argument is unknown or wrong.

    Example:

    >>> get("ranking", macs=0.5, criterion="l1").config.macs
    0.5
    """
    from keras_prune.methods.base import Method

    if isinstance(identifier, Mapping):
        given = dict(identifier.get("config", {}))
        return entry(str(identifier.get("class_name"))).load_method().from_config(given | options)
    if isinstance(identifier, str):
        return entry(identifier).load_method().from_config(options)
    if isinstance(identifier, Method) and not options:
        return identifier
    raise ConfigError(
        "Expected a method: a name with options, a dict with 'class_name' and 'config', or a "
        f"method without options. Received: {identifier!r}."
    )
