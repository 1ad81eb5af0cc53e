"""`keras-prune rl-pruner` and `prune --method rl_pruner` on real files, with short trainings."""

import json
import tomllib

import keras
import pytest

from keras_prune import zoo

SHORT = """
[train]
epochs = 1
[prune]
samples = 1
rounds = 1
images = 50
[recovery]
steps_per_epoch = 2
[finetune]
epochs = 1
steps_per_epoch = 2
"""


@pytest.fixture(autouse=True)
def short(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "short.toml").write_text(SHORT)


def test_the_recipe_prunes_a_network_of_the_package_and_goes_on(call, tmp_path):
    options = ["--model", "conv248", "--params", 0.6, "--stages", 1, "--criterion", "l1"]
    short = ["--dataset", "digits", "--config", "short.toml", "--out", "run"]
    done = call("rl-pruner", *options, *short)
    assert done.code == 0, done.err
    assert "conv248 on digits, pruned by rl_pruner" in done.out
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["after"]["parameters"] <= 0.6 * report["before"]["parameters"]
    config = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert config["common"]["batch_size"] == 32  # of rl-pruner-digits.toml
    assert config["distillation"]["temperature"] == 4.0  # of rl-pruner.toml
    assert "macs" not in config["prune"]

    (tmp_path / "run" / "report.json").unlink()
    done = call("rl-pruner", "--resume", "run")
    assert done.code == 0, done.err
    again = json.loads((tmp_path / "run" / "report.json").read_text())
    assert again["after"] == report["after"]
    assert again["notes"] == ["The run was killed and went on after stage 1."]


def test_the_verb_prunes_a_model_of_the_users(call, tmp_path):
    zoo.conv248((8, 8, 1)).save("model.keras")
    options = ["--method", "rl_pruner", "--macs", 0.6, "--steps", 1, "--config", "short.toml"]
    done = call("prune", "model.keras", "--dataset", "digits", *options, "--out", "run")
    assert done.code == 0, done.err
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["method"] == "rl_pruner"
    assert report["after"]["macs"] <= 0.6 * report["before"]["macs"]


def chain(widths):
    layers = [keras.layers.Dense(width, name=f"dense{width}") for width in widths]
    return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), *layers])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rl-pruner", "--macs", 0.001, "--model", "conv248"], "cannot be met"),
        (["rl-pruner", "--macs", 0.5, "--ratio", 0.5], "Expected one budget"),
        (["rl-pruner", "--macs", 1.5], "macs: expected the fraction of MACs to keep"),
        (["rl-pruner", "--criterion", "tailor"], "Did you mean 'taylor'"),
        (["rl-pruner", "--max-drop", 0], "expected a finite number above 0"),
        (["rl-pruner", "--model", "resnet57"], "Did you mean 'resnet56'"),
        (["prune", "one.keras", "--method", "rl_pruner", "--macs", 0.5], "at least two groups"),
        (["prune", "one.keras", "--method", "rl_pruner", "--latency", 0.5], "--method ranking"),
        (["prune", "one.keras", "--method", "rl_prune"], "'rl_prune' is not one of"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(call, tmp_path, arguments, words):
    chain([9, 10]).save("one.keras")
    done = call(*arguments, "--dataset", "digits", "--out", "run")
    assert (done.code, done.out) == (2, "")
    assert words in done.err and done.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--macs", 0.5], "Leave out --macs"),
        (["--quick"], "Leave out --quick"),
        (["--out", "there"], "Leave out --out"),
        ([], "Expected the directory of a run"),
    ],
)
def test_a_run_goes_on_with_its_own_settings(call, tmp_path, arguments, words):
    done = call("rl-pruner", "--resume", ".", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err


@pytest.mark.parametrize("name", ["rl-pruner", "rl-pruner-quick"])
@pytest.mark.parametrize("dataset", ["cifar10", "digits"])
def test_the_shipped_configurations_are_whole(name, dataset):
    from keras_prune.cli.settings import settings
    from keras_prune.config import load
    from keras_prune.methods.rl_pruner import RLPrunerRecipe

    recipe = load(RLPrunerRecipe, settings(name, None, dataset))
    assert recipe.prune.macs == 0.5
    assert recipe.distillation is not None
