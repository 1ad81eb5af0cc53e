"""TOML to frozen dataclasses and back, and messages that say what to do."""

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_prune.errors import ConfigError
from keras_prune.utils.config import (
    dotted,
    expect_one_budget,
    load,
    merge,
    override,
    read_toml,
    to_dict,
    to_toml,
)


@dataclass(frozen=True)
class Prune:
    b: float
    steps: int = 40
    groups: tuple[str, ...] = ()
    limit: int | None = None
    mode: Literal["local", "global"] = "local"


@dataclass(frozen=True)
class Recipe:
    prune: Prune = Prune(1.0)
    seed: int = 0
    fast: bool = False
    extra: dict[str, Any] | None = None
    again: Prune | None = None


def test_nested_values_and_defaults():
    recipe = load(Recipe, {"prune": {"b": 2, "groups": ["a", "b"]}, "fast": True})
    assert recipe == Recipe(Prune(2.0, groups=("a", "b")), fast=True)
    assert type(recipe.prune.b) is float


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"prune": {"b": 1.0, "step": 3}},
            r"key in \[prune\] 'step'. Did you mean 'steps'\? Known",
        ),
        ({"sed": 3}, r"key in the configuration 'sed'. Did you mean 'seed'\?"),
        ({"again": {"b": 1.0, "step": 3}}, r"key in \[again\] 'step'. Did you mean 'steps'"),
        ({"again": {"b": "1"}}, r"again.b expects a number. Received: '1'"),
        ({"prune": {}}, r"Missing key 'b' in \[prune\]"),
        ({"prune": {"b": "1"}}, r"prune.b expects a number. Received: '1'"),
        ({"prune": {"b": float("inf")}}, r"prune.b expects a finite number. Received: inf"),
        ({"prune": {"b": True}}, r"prune.b expects a number. Received: True"),
        ({"prune": {"b": 1.0, "steps": 4.0}}, r"prune.steps expects an integer. Received: 4.0"),
        ({"prune": {"b": 1.0, "limit": "x"}}, r"prune.limit expects an integer. Received: 'x'"),
        ({"prune": {"b": 1.0, "groups": "x"}}, r"prune.groups expects a list. Received: 'x'"),
        ({"prune": {"b": 1.0, "groups": [1]}}, r"prune.groups expects a string. Received: 1"),
        ({"prune": {"b": 1.0, "mode": "globl"}}, r"prune.mode 'globl'. Did you mean 'global'"),
        ({"prune": 3}, r"prune expects a table of keys. Received: 3"),
        ({"seed": True}, r"seed expects an integer. Received: True"),
        ({"fast": 1}, r"fast expects true or false. Received: 1"),
    ],
)
def test_mistakes_are_named(data, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load(Recipe, data)
    assert "\n" not in str(caught.value)


def test_override_changes_only_what_it_names():
    recipe = Recipe(Prune(1.0, steps=7), seed=3)
    assert override(recipe, {"prune.b": 2, "seed": 9}) == Recipe(Prune(2.0, steps=7), seed=9)
    assert recipe.prune.b == 1.0
    with pytest.raises(ConfigError, match=r"\[prune\] 'bb'"):
        override(recipe, {"prune.bb": 2})


def test_dotted_keys_are_those_that_override_takes():
    recipe = Recipe(Prune(1.0, steps=7, groups=("a",)), seed=3)
    flat = dotted(to_dict(recipe))
    assert flat["prune.steps"] == 7 and flat["seed"] == 3 and flat["again"] is None
    assert override(Recipe(), flat) == recipe


def test_a_table_may_be_left_out_or_empty():
    assert load(Recipe, {}).again is None
    assert override(Recipe(), {"again": {"b": 2.0}}).again == Prune(2.0)


def test_merge_leaves_its_inputs_alone():
    base, other = {"a": {"x": 1, "y": 2}, "b": 1}, {"a": {"x": 5}, "c": {"z": 1}}
    assert merge(base, other) == {"a": {"x": 5, "y": 2}, "b": 1, "c": {"z": 1}}
    assert base == {"a": {"x": 1, "y": 2}, "b": 1}


@dataclass(frozen=True)
class Budgets:
    macs: float | None = None
    params: float | None = None
    ratio: float | None = None


def check(**given):
    expect_one_budget(Budgets(**given), "macs", "params", "ratio")


@pytest.mark.parametrize(
    "given", [{"macs": 1.0}, {"params": 1e-9}, {"ratio": 0.0}, {"ratio": 0.999}]
)
def test_one_budget_in_its_range_is_taken(given):
    check(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "one budget of macs, params, ratio. Received: none"),
        ({"macs": 0.5, "ratio": 0.0}, "one budget of .* Received: macs=0.5, ratio=0.0"),
        ({"macs": 0.0}, r"macs to be a number in \(0, 1\], the fraction to keep. Received: 0.0"),
        ({"params": 1.001}, r"params to be a number in \(0, 1\], .* Received: 1.001"),
        (
            {"ratio": 1.0},
            r"ratio to be a number in \[0, 1\), the fraction to remove. Received: 1.0",
        ),
        ({"ratio": -0.001}, r"ratio to be .* Received: -0.001"),
        ({"macs": float("nan")}, "macs to be .* Received: nan"),
    ],
)
def test_another_budget_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        check(**given)


_SIGNS = st.characters(codec="utf-8", exclude_characters="\0")
recipes = st.builds(
    Recipe,
    prune=st.builds(
        Prune,
        b=st.floats(allow_nan=False, allow_infinity=False),
        steps=st.integers(-(2**60), 2**60),
        groups=st.lists(st.text(_SIGNS, max_size=5)).map(tuple),
        limit=st.none() | st.integers(0, 9),
        mode=st.sampled_from(["local", "global"]),
    ),
    seed=st.integers(0, 9),
    fast=st.booleans(),
)


@given(recipes)
def test_toml_round_trip(tmp_path_factory, recipe):
    path = tmp_path_factory.mktemp("toml") / "config.toml"
    path.write_text(to_toml(recipe), encoding="utf-8", newline="")
    assert load(Recipe, read_toml(path)) == recipe
    assert load(Recipe, to_dict(recipe)) == recipe


def test_unreadable_files(tmp_path):
    with pytest.raises(ConfigError, match="Cannot read the configuration .*No such file"):
        read_toml(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="Cannot read the configuration .*directory"):
        read_toml(tmp_path)
    for content in (b"b = [1,\n\n", b"\xff\xfe", b"b = 1\nb = 2", b"b = " + b"[" * 10**5):
        (tmp_path / "bad.toml").write_bytes(content)
        with pytest.raises(ConfigError, match="not valid TOML") as caught:
            read_toml(tmp_path / "bad.toml")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"[prune]\nb = 0x{'F' * 6000}", "prune.b is a number of more than 64 bits"),
        (f"seed = {'9' * 6000}", "4300"),
        (f"{'a.' * 50}b = 1", r"a\.a\.a\.\.\. is nested too deeply"),
        (f"[{'a.' * 10**6}b]", "a key has more than 100 parts"),
        ("""x."y z" .'$'.""" * 40 + "b = 1", "a key has more than 100 parts"),
        ("a" * 10**6 + "=", "Invalid value"),
        ("a = " + "[" * 10**4, "recursion"),
        ('[common]\ndataset = ["x", "a\\u0000b"]', "common.dataset.2 holds the character 0"),
    ],
)
def test_values_that_no_configuration_can_have(text, message, tmp_path):
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(ConfigError, match=rf"c\.toml is not valid TOML: .*{message}") as refused:
        read_toml(tmp_path / "c.toml")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("key", ["b", "steps"])
def test_numbers_beyond_64_bits(key):
    with pytest.raises(ConfigError, match=rf"prune.{key} expects a number of at most 64 bits"):
        load(Recipe, {"prune": {"b": 1.0, key: 10**400}})


@pytest.mark.parametrize("data", [["b"], None, 3])
def test_what_is_no_table_of_keys(data):
    with pytest.raises(ConfigError, match="Expected a table of keys as the configuration"):
        load(Recipe, data)
