"""Options made of the fields of configuration classes: type, help and default are said there."""

import dataclasses
import inspect
import math
import re
import types
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import click


class Number(click.types.FloatParamType):
    """A finite number, or a fraction of two such as 1/255."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number, unless it is infinite or none."""
        parts: list[Any] = str(value).split("/", 1)
        number: float = super().convert(parts[0], param, ctx)
        for below in parts[1:]:
            number /= super().convert(below, param, ctx) or math.nan
        if not math.isfinite(number):
            self.fail(f"expected a finite number. Received: {value}.", param, ctx)
        return number


class Pair(click.ParamType):
    """A pattern and a number, such as block1_*=0.25."""

    name = "pair"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        """Both, of what was written."""
        if isinstance(value, tuple):
            return value
        pattern, _, number = str(value).rpartition("=")
        if not pattern:
            self.fail(f"expected PATTERN=NUMBER. Received: {value}.", param, ctx)
        return pattern, Number().convert(number, param, ctx)


@dataclasses.dataclass(frozen=True)
class Setting:
    """A key of a configuration that an option sets.

    Args:
        name: the option, as click names its value.
        key: the dotted key.
        kind: the type of the field.
        text: what it means.
        default: of the class.
    """

    name: str
    key: str
    kind: Any
    text: str
    default: Any = None


def settings_of(
    cls: type, section: str, names: Mapping[str, str] | None = None, leave_out: Collection[str] = ()
) -> list[Setting]:
    """The settings of a configuration class; tables of keys are left to files.

    Args:
        cls: the dataclass.
        section: the name of its section.
        names: field -> option, where they differ.
        leave_out: fields that no option sets.
    """
    kinds, texts = get_type_hints(cls), documented(cls)
    return [
        Setting(
            (names or {}).get(field.name, field.name),
            f"{section}.{field.name}",
            kind,
            texts.get(field.name, ""),
            None if field.default is dataclasses.MISSING else field.default,
        )
        for field in dataclasses.fields(cls)
        if field.name not in leave_out and (kind := _kind(kinds[field.name])) is not None
    ]


def documented(cls: type) -> dict[str, str]:
    """Field -> what the section `Args:` of the docstring says of it, as a sentence."""
    _, _, after = (inspect.getdoc(cls) or "").partition("\nArgs:\n")
    found: dict[str, str] = {}
    name = ""
    for line in re.split(r"\n(?=\S)", after)[0].splitlines():
        if begun := re.fullmatch(r" {4}(\w+): (.*)", line):
            name, found[begun[1]] = begun[1], begun[2]
        elif name:
            found[name] += f" {line.strip()}"
    return {name: _sentence(text) for name, text in found.items()}


def option(
    setting: Setting, default: Any = None, *, hidden: bool = False, flags: Iterable[str] = ()
) -> click.Option:
    """The option of a setting; what is not given stays None, and nothing of several.

    Args:
        setting: the setting.
        default: what `--help` says that holds without the option; None: nothing.
        hidden: whether `--help` leaves it out.
        flags: further names, for example `-p`.
    """
    flag = f"--{setting.name.replace('_', '-')}"
    text = setting.text + ("" if default in (None, (), []) else f"  [default: {_shown(default)}]")
    if setting.kind is bool:
        pair = f"{flag}/--no-{flag.removeprefix('--')}"
        return click.Option([setting.name, pair], default=None, help=text, hidden=hidden)
    return click.Option(
        [setting.name, flag, *flags],
        type=_TYPES[setting.kind]
        if setting.kind in _TYPES
        else click.Choice(get_args(setting.kind)),
        multiple=setting.kind in _SEVERAL,
        metavar=_SEVERAL.get(setting.kind),
        help=text + ("  May be given several times." if setting.kind in _SEVERAL else ""),
        hidden=hidden,
    )


_TYPES: dict[Any, click.ParamType] = {
    float: Number(),
    int: click.INT,
    str: click.STRING,
    tuple: click.STRING,
    dict: Pair(),
}
_SEVERAL = {tuple: "PATTERN", dict: "PATTERN=NUMBER"}


def _kind(annotation: Any) -> Any:
    """The type an option has, or None where there can be none."""
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return _kind(kinds[0]) if len(kinds) == 1 else None
    if get_origin(annotation) is Literal:
        return annotation
    if annotation in (tuple[str, ...], dict[str, float]):
        return get_origin(annotation)
    return annotation if annotation in (bool, float, int, str) else None


def _sentence(text: str) -> str:
    begun = text[:1].upper() + text[1:]  # a name in backticks stays as it is
    return re.sub(r"\*(\w+)\*", r"\1", begun.replace("`", "")).rstrip(".") + "."


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return ", ".join(default) if isinstance(default, list | tuple) else str(default)
