"""What a configuration refuses."""

import tomllib
from pathlib import Path

import pytest

from keras_prune.config import load, to_toml
from keras_prune.errors import ConfigError
from keras_prune.methods.magnitude import MagnitudeRecipe

CONFIGS = Path(__file__).parents[3] / "configs"
GOOD = {
    "common": {},
    "train": {"epochs": 1, "learning_rate": 0.1},
    "prune": {"rates": {"fc1": 0.5}, "retrain": {"epochs": 1, "learning_rate": 0.01}},
    "test": {},
}


@pytest.mark.parametrize("name", ["lenet5", "lenet300-100"])
def test_the_shipped_ones_load_and_round_trip(name):
    recipe = load(MagnitudeRecipe, tomllib.loads((CONFIGS / f"{name}.toml").read_text()))
    assert recipe.common.model == name.replace("-", "_")
    assert recipe.prune.retrain.learning_rate < recipe.train.learning_rate
    assert load(MagnitudeRecipe, tomllib.loads(to_toml(recipe))) == recipe


@pytest.mark.parametrize(
    ("section", "changes", "message"),
    [
        (
            "prune",
            {"iteration": 3},
            "Unknown key in [prune] 'iteration'. Did you mean 'iterations'",
        ),
        ("common", {"directry": "x"}, "Did you mean 'directory'?"),
        (
            "prune",
            {"iterations": "three"},
            "prune.iterations expects an integer. Received: 'three'",
        ),
        ("prune", {"iterations": 0}, "iterations must be at least 1. Received: 0."),
        ("prune", {"rates": {"fc1": 1.0}}, "rates.fc1 must be in [0, 1). Received: 1.0."),
        ("prune", {"rates": {"fc1": -0.1}}, "rates.fc1 must be in [0, 1). Received: -0.1."),
        ("prune", {"rates": {"fc1": "half"}}, "rates.fc1 expects a number. Received: 'half'."),
        ("prune", {"rates": {}}, "threshold='quantile' needs rates and no sparsity."),
        ("prune", {"sparsity": 0.5}, "threshold='quantile' needs rates and no sparsity."),
        ("prune", {"threshold": "lamp"}, "threshold='lamp' needs sparsity and no rates."),
        ("prune", {"threshold": "lam"}, "Did you mean 'lamp'?"),
        (
            "prune",
            {"threshold": "erk", "rates": {}, "sparsity": 1.0},
            "Expected sparsity to be a fraction of zero weights in [0, 1). Received: 1.0.",
        ),
        ("test", {"turns": -1}, "turns must be 0 or more. Received: -1."),
        ("test", {"values": 1}, "values must be from 2 to 256. Received: 1."),
    ],
)
def test_mistakes_are_named(section, changes, message):
    with pytest.raises(ConfigError) as error:
        load(MagnitudeRecipe, GOOD | {section: GOOD[section] | changes})
    assert message in str(error.value)


@pytest.mark.parametrize("section", ["common", "train", "prune", "test"])
def test_every_section_is_needed(section):
    rest = {name: content for name, content in GOOD.items() if name != section}
    with pytest.raises(ConfigError, match=f"Missing key '{section}' in the configuration"):
        load(MagnitudeRecipe, rest)


def test_the_papers_factors_may_exceed_one():
    load(MagnitudeRecipe, GOOD | {"prune": GOOD["prune"] | {"threshold": "std", "rates": {"a": 2}}})
