"""Options made of the fields of a configuration class."""

from dataclasses import dataclass, field
from typing import Any, Literal

import click
import pytest

from keras_prune.cli.method_options import method_settings
from keras_prune.cli.options_from import Pair, documented, option, settings_of
from keras_prune.methods.registry import available


@dataclass(frozen=True)
class Config:
    """A configuration.

    Args:
        steps: how often,
            and `never` less than *once*.
        kind: one of two.
        part: `p`, a fraction.
        names: that stay.
        curve: whether it is drawn.
        rates: layer -> rate.

    Raises:
        Nothing: at all.
    """

    steps: int
    kind: Literal["a", "b"] = "a"
    part: float | None = None
    names: tuple[str, ...] = ()
    curve: bool = False
    rates: dict[str, Any] = field(default_factory=dict)


def test_the_docstring_says_what_help_says():
    texts = documented(Config)
    assert texts["steps"] == "How often, and never less than once."
    assert texts["part"] == "p, a fraction."
    assert list(texts) == ["steps", "kind", "part", "names", "curve", "rates"]


def test_kinds_defaults_and_names():
    found = settings_of(Config, "prune", {"part": "share"}, leave_out=("curve",))
    assert [(s.name, s.key, s.default) for s in found] == [
        ("steps", "prune.steps", None),
        ("kind", "prune.kind", "a"),
        ("share", "prune.part", None),
        ("names", "prune.names", ()),
    ]


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ([], {"steps": None, "kind": None, "part": None, "names": (), "curve": None}),
        (["--steps", "3", "--kind", "b", "--part", "0.5"], {"steps": 3, "kind": "b", "part": 0.5}),
        (["--names", "a", "--names", "b*", "--no-curve"], {"names": ("a", "b*"), "curve": False}),
        (["--curve"], {"curve": True}),
        (["--part", "1/4"], {"part": 0.25}),
    ],
)
def test_options_are_what_was_given(arguments, values):
    options = [option(setting) for setting in settings_of(Config, "prune")]
    command = click.Command("c", params=options, callback=lambda **given: given)
    assert command.main(arguments, standalone_mode=False).items() >= values.items()


@pytest.mark.parametrize(
    "arguments",
    [["--kind", "c"], ["--part", "inf"], ["--part", "1/0"], ["--part", "1/x"], ["--steps", "1.5"]],
)
def test_what_the_type_does_not_take_is_refused(arguments):
    options = [option(setting) for setting in settings_of(Config, "prune")]
    with pytest.raises(click.BadParameter):
        click.Command("c", params=options).main(arguments, standalone_mode=False)


def test_help_says_the_default():
    (setting,) = (s for s in settings_of(Config, "prune") if s.name == "kind")
    assert option(setting, "b").help == "One of two.  [default: b]"
    assert option(setting).help == "One of two."


def test_all_settings_of_all_methods_are_explained_and_of_one_kind():
    kinds: dict[str, Any] = {}
    for method in available():
        for setting in method_settings(method).values():
            assert len(setting.text) > 5, (method, setting.name)
            assert kinds.setdefault(setting.name, setting.kind) == setting.kind, setting.name


@pytest.mark.parametrize(
    ("written", "found"),
    [("block*=0.5", ("block*", 0.5)), ("a=b=1/4", ("a=b", 0.25))],
)
def test_a_pattern_and_a_number(written, found):
    assert Pair().convert(written, None, None) == found


@pytest.mark.parametrize("written", ["block", "=0.5", "block=half"])
def test_what_is_no_pair_is_refused(written):
    with pytest.raises(click.BadParameter):
        Pair().convert(written, None, None)
