"""What a configuration refuses, and the words of former versions it still takes."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from keras_prune import methods
from keras_prune.errors import ConfigError
from keras_prune.methods.config import load_run, plain
from keras_prune.methods.magnitude import MagnitudeConfig
from keras_prune.utils.config import load, merge, to_toml

CONFIGS = Path(__file__).parents[3] / "configs"
WHOLE = ("lenet5", "lenet300-100", "lenet5-caffe", "lenet5-caffe-108x")
GOOD = {
    "method": "magnitude",
    "train": {"epochs": 1, "learning_rate": 0.1},
    "prune": {"rates": {"fc1": 0.5}, "steps": 2},
    "recovery": {"epochs": 1, "learning_rate": 0.01},
    "finetune": {"epochs": 2, "learning_rate": 0.01},
}
FORMER = {
    "common": {},
    "train": {"epochs": 1, "learning_rate": 0.1},
    "prune": {
        "rates": {"fc1": 0.5},
        "iterations": 2,
        "retrain": {"epochs": 1, "learning_rate": 0.01},
        "final": {"epochs": 2, "learning_rate": 0.01},
    },
    "test": {"turns": 5, "values": 16},
}


def shipped(name):
    return tomllib.loads((CONFIGS / f"{name}.toml").read_text())


@pytest.mark.parametrize("name", WHOLE)
def test_the_shipped_ones_load_and_round_trip(name):
    config = load_run(shipped(name))
    assert isinstance(config.prune, MagnitudeConfig)
    assert config.common.model == name.replace("-", "_").removesuffix("_108x")
    assert config.recovery.learning_rate < config.train.learning_rate
    assert load_run(tomllib.loads(to_toml(config))) == config


@pytest.mark.parametrize("changed", ["lenet5-30x", "lenet5-digits", "lenet300-100-56x"])
def test_what_only_names_differences_loads_over_its_base(changed):
    base = changed.rpartition("-")[0]
    config = load_run(merge(shipped(base), shipped(changed)))
    assert config.prune.sparsity != load_run(shipped(base)).prune.sparsity


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": 3}, "Unknown key in [prune] 'step'. Did you mean 'steps'"),
        ({"steps": "three"}, "prune.steps expects an integer. Received: 'three'"),
        ({"steps": 0}, "steps must be at least 1. Received: 0."),
        ({"rates": {"fc1": 1.0}}, "rates.fc1 must be in [0, 1). Received: 1.0."),
        ({"rates": {"fc1": -0.1}}, "rates.fc1 must be in [0, 1). Received: -0.1."),
        ({"rates": {"fc1": "half"}}, "rates.fc1 expects a number. Received: 'half'."),
        ({"rates": {}}, "threshold='quantile' needs rates and no sparsity."),
        ({"sparsity": 0.5}, "threshold='quantile' needs rates and no sparsity."),
        ({"threshold": "lamp"}, "threshold='lamp' needs sparsity and no rates."),
        ({"threshold": "lam"}, "Did you mean 'lamp'?"),
        (
            {"threshold": "erk", "rates": {}, "sparsity": 1.0},
            "Expected sparsity to be a fraction of zero weights in [0, 1). Received: 1.0.",
        ),
        ({"exclude": ["fc1"]}, "Layer 'fc1' is in both rates and exclude."),
        ({"turns": -1}, "turns must be 0 or more. Received: -1."),
        ({"values": 1}, "values must be from 2 to 256. Received: 1."),
    ],
)
def test_mistakes_are_named(changes, message):
    with pytest.raises(ConfigError) as error:
        load_run(GOOD | {"prune": GOOD["prune"] | changes})
    assert message in str(error.value)


def test_the_papers_factors_may_exceed_one():
    load(MagnitudeConfig, {"threshold": "std", "rates": {"a": 2}})


def test_former_keys_are_taken_and_named():
    with pytest.warns(FutureWarning) as told:
        config = load_run(FORMER)
    sentences = " ".join(str(warning.message) for warning in told)
    for former, now in (
        ("prune.iterations", "prune.steps"),
        ("prune.retrain", "recovery"),
        ("prune.final", "finetune"),
        ("test.turns", "prune.turns"),
        ("test.values", "prune.values"),
    ):
        assert f"The key {former} is called {now} now" in sentences
    expected = {**GOOD, "prune": GOOD["prune"] | {"turns": 5, "values": 16}}
    assert plain(config) == plain(load_run(expected))


def test_without_a_final_training_the_former_retraining_was_the_last():
    former = FORMER | {"prune": {k: v for k, v in FORMER["prune"].items() if k != "final"}}
    with pytest.warns(FutureWarning):
        config = load_run(former)
    assert config.finetune == config.recovery


def test_a_method_and_its_configuration_round_trip():
    method = methods.get("magnitude", threshold="global", sparsity=0.9, steps=4)
    again = methods.get({"class_name": "magnitude", "config": method.get_config()})
    assert again.config == method.config == MagnitudeConfig(4, "global", sparsity=0.9)
    assert again.get_config() == method.get_config()


def test_configuration_and_schedules_need_neither_keras_nor_tensorflow():
    code = (
        "import sys, keras_prune.methods.magnitude.config, keras_prune.methods.magnitude.schedules;"
        "print([name for name in ('keras', 'tensorflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
