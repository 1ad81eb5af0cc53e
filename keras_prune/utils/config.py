"""Frozen dataclasses from TOML and back: one dataclass per section, one home per key."""

import dataclasses
import math
import re
import tomllib
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import tomli_w

from keras_prune.errors import ConfigError, unknown
from keras_prune.utils.files import read_text
from keras_prune.utils.text import shown

T = TypeVar("T")

_DEEPEST = 20
"""Tables within tables; a configuration has three."""

_LONG_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*"|'[^'\n]*')[ \t]*+\.[ \t]*+){100}""")

_TYPE_NAMES = {
    bool: "true or false",
    dict: "a table of keys",
    float: "a number",
    int: "an integer",
    str: "a string",
    tuple: "a list",
}


def read_toml(path: str | Path) -> dict[str, Any]:
    """Reads a TOML file.

    Args:
        path: the file.

    Returns:
        Its tables as nested dictionaries.

    Raises:
        ConfigError: the file is missing, unreadable or not TOML, or a value is none that a
            configuration can have.
    """
    try:
        text = read_text(Path(path))
        if _LONG_KEY.search(text):  # tomllib would take memory by the square of its parts
            raise ValueError("a key has more than 100 parts")
        data = tomllib.loads(text)
        _check_values(data)
        return data
    except OSError as error:
        raise ConfigError(f"Cannot read the configuration {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:  # such are those of TOML and Unicode, too
        reason = str(error).replace("\n", " ")
        raise ConfigError(f"The configuration {path} is not valid TOML: {reason}.") from error


def load(cls: type[T], mapping: Mapping[str, Any], where: str = "") -> T:
    """Builds a frozen dataclass, nested ones included, from plain data.

    Args:
        cls: the dataclass. Keys left out of `mapping` keep its defaults.
        mapping: plain data, for example what `read_toml` returns.
        where: the dotted name of this section, for the messages.

    Returns:
        An instance of `cls`. Lists become tuples where the field asks for a tuple.

    Raises:
        ConfigError: a key is unknown or missing, or a value has the wrong type.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Train:
    ...     epochs: int = 20
    ...     learning_rate: float = 0.1
    >>> load(Train, {"learning_rate": 1})
    Train(epochs=20, learning_rate=1.0)
    """
    if not isinstance(mapping, Mapping):
        raise ConfigError(
            f"Expected a table of keys as {_section(where)}. Received: {shown(mapping)}."
        )
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]
    for key in mapping:
        if key not in fields:
            raise ConfigError(unknown(f"key in {_section(where)}", key, fields))
    for name, field in fields.items():
        if name not in mapping and _is_required(field):
            raise ConfigError(f"Missing key {name!r} in {_section(where)}. Add it.")
    hints = get_type_hints(cls)
    return cls(
        **{
            key: _convert(hints[key], value, f"{where}.{key}".lstrip("."))
            for key, value in mapping.items()
        }
    )


def to_dict(config: Any) -> dict[str, Any]:
    """The dataclass as nested plain dictionaries: what `load` reads.

    Args:
        config: a dataclass instance.
    """
    return dataclasses.asdict(config)


def to_toml(config: Any) -> str:
    """The dataclass as TOML text. Fields that are None are left out, since TOML has no null.

    Args:
        config: a dataclass instance.
    """
    return tomli_w.dumps(_without_none(to_dict(config)))


def merge(base: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Nested plain data with the values of `other` laid over those of `base`.

    Args:
        base: for example a recipe's own configuration.
        other: for example the user's configuration.

    Returns:
        A new dictionary; the inputs are untouched.

    >>> merge({"train": {"epochs": 20, "momentum": 0.9}}, {"train": {"epochs": 5}})
    {'train': {'epochs': 5, 'momentum': 0.9}}
    """
    merged = dict(base)
    for key, value in other.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def override(config: T, changes: Mapping[str, Any]) -> T:
    """A copy of a configuration with single keys changed.

    Args:
        config: a dataclass instance, possibly nested.
        changes: dotted key to value, for example `{"prune.b": 2.0}`.

    Returns:
        A new instance of the same class.

    Raises:
        ConfigError: a key is unknown or a value has the wrong type.
    """
    return load(type(config), merge_keys(to_dict(config), changes))


def merge_keys(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Nested plain data with single keys changed.

    Args:
        data: for example a recipe's own configuration.
        changes: dotted key to value.

    >>> merge_keys({"prune": {"steps": 1}}, {"prune.macs": 0.5})
    {'prune': {'steps': 1, 'macs': 0.5}}
    """
    merged = dict(data)
    for dotted, value in changes.items():
        for key in reversed(dotted.split(".")):
            value = {key: value}
        merged = merge(merged, value)
    return merged


def dotted(data: Mapping[str, Any]) -> dict[str, Any]:
    """Nested plain data as one flat dictionary: the keys that `override` takes.

    Args:
        data: for example what `to_dict` returns.

    >>> dotted({"prune": {"b": 1.0}, "seed": 0})
    {'prune.b': 1.0, 'seed': 0}
    """
    flat: dict[str, Any] = {}
    for key, value in data.items():
        inner = dotted(value) if isinstance(value, Mapping) else {"": value}
        flat |= {f"{key}.{rest}".rstrip("."): leaf for rest, leaf in inner.items()}
    return flat


def expect(config: Any, holds: bool, name: str, expected: str) -> None:
    """Refuses a field that is out of its range.

    Args:
        config: the dataclass instance.
        holds: whether the field is in its range.
        name: the field.
        expected: the range, in words.

    Raises:
        ConfigError: `holds` is false.
    """
    if not holds:
        raise ConfigError(
            f"Expected {name} to be {expected}. Received: {shown(getattr(config, name))}."
        )


def expect_counts(config: Any, *names: str) -> None:
    """Refuses fields that are not at least 1.

    Raises:
        ConfigError: one is not.
    """
    for name in names:
        if getattr(config, name) < 1:
            raise ConfigError(
                f"{name} must be at least 1. Received: {shown(getattr(config, name))}."
            )


def expect_one_budget(config: Any, *names: str) -> None:
    """Refuses a configuration with no budget or several, or with a fraction that is none.

    Raises:
        ConfigError: not exactly one of the fields is given, or it is out of its range.
    """
    given = {name: getattr(config, name) for name in names if getattr(config, name) is not None}
    if len(given) != 1:
        shown = ", ".join(f"{name}={value}" for name, value in given.items()) or "none"
        raise ConfigError(f"Expected one budget of {', '.join(names)}. Received: {shown}.")
    [(name, value)] = given.items()
    in_range = 0 <= value < 1 if name == "ratio" else 0 < value <= 1
    asked = "[0, 1), the fraction to remove" if name == "ratio" else "(0, 1], the fraction to keep"
    expect(config, in_range, name, f"a number in {asked}")


def _check_values(value: Any, where: tuple[str, ...] = ()) -> None:
    """Refuses what would be an error later, where nobody knows of the file and the key."""
    if len(where) > _DEEPEST:
        raise ValueError(f"{'.'.join(where[:3])}... is nested too deeply")
    if _is_too_large(value):
        raise ValueError(f"{'.'.join(where)} is a number of more than 64 bits")
    if isinstance(value, str) and "\0" in value:
        raise ValueError(f"{'.'.join(where)} holds the character 0")
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value, 1)
    for name, each in inner:
        _check_values(each, (*where, str(name)))


def _is_too_large(value: Any) -> bool:
    return type(value) is int and not -(2**63) <= value < 2**63


def _section(where: str) -> str:
    return f"[{where}]" if where else "the configuration"


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is field.default_factory is dataclasses.MISSING


def _without_none(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _without_none(value) for key, value in data.items() if value is not None}
    return data


def _convert(kind: Any, value: Any, where: str) -> Any:
    """The value as the annotated type `kind`, or a ConfigError that names the key `where`."""
    origin = get_origin(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        return _convert_union(kind, value, where)
    if origin is Literal:
        return _convert_literal(kind, value, where)
    if dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
        return load(kind, value, where)  # type: ignore[arg-type]
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_convert(get_args(kind)[0], item, where) for item in value)
    if _is_too_large(value):
        raise ConfigError(f"{where} expects a number of at most 64 bits. Received: {shown(value)}.")
    if kind is float and type(value) is int:
        return float(value)
    # `type(...) is`, because a bool is an int to isinstance
    if type(value) is float and kind is float and not math.isfinite(value):
        raise ConfigError(f"{where} expects a finite number. Received: {value}.")
    if type(value) is (origin or kind):
        return value
    raise ConfigError(f"{where} expects {_type_name(kind)}. Received: {shown(value)}.")


def _convert_union(kind: Any, value: Any, where: str) -> Any:
    options = [option for option in get_args(kind) if option is not type(None)]
    if value is None and len(options) < len(get_args(kind)):
        return None
    if len(options) == 1:  # its own message is the clearest
        return _convert(options[0], value, where)
    for option in options:
        try:
            return _convert(option, value, where)
        except ConfigError:
            continue
    raise ConfigError(f"{where} expects {_type_name(kind)}. Received: {shown(value)}.")


def _convert_literal(kind: Any, value: Any, where: str) -> Any:
    if value in get_args(kind):
        return value
    raise ConfigError(unknown(where, str(value), map(str, get_args(kind))))


def _type_name(kind: Any) -> str:
    if dataclasses.is_dataclass(kind):
        return "a table of keys"
    if get_origin(kind) in (Union, types.UnionType):
        options = (option for option in get_args(kind) if option is not type(None))
        return " or ".join(map(_type_name, options))
    plain = get_origin(kind) or kind
    return _TYPE_NAMES.get(plain, f"a {getattr(plain, '__name__', plain)}")
