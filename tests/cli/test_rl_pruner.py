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
updates = 1
reward_images = 50
calibration_images = 50
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


@pytest.mark.slow
def test_the_recipe_prunes_a_network_of_the_package(call, tmp_path):
    options = ["--model", "conv248", "--params", 0.6, "--steps", 1, "--criterion", "l1"]
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


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_end(call, tmp_path, monkeypatch):
    from keras_prune.methods.rl_pruner import RLPruner

    options = ["--model", "conv248", "--params", 0.6, "--steps", 2, "--criterion", "l1"]
    short = ["--dataset", "digits", "--config", "short.toml"]
    assert call("rl-pruner", *options, *short, "--out", "whole").code == 0
    step = RLPruner.step

    def killed(self, context, state):
        if state.step == 1:
            raise KeyboardInterrupt
        return step(self, context, state)

    monkeypatch.setattr(RLPruner, "step", killed)
    done = call("rl-pruner", *options, *short, "--out", "run")
    assert done.code == 130 and done.err.endswith("To go on: keras-prune run run\n")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    done = call("rl-pruner", "--resume", "run")
    assert done.code == 0, done.err
    whole, again = (
        json.loads((tmp_path / name / "report.json").read_text()) for name in ("whole", "run")
    )
    assert again["after"] == whole["after"]
    assert (whole["resumed"], again["resumed"]) == (0, 1)


@pytest.mark.slow
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
        (["rl-pruner", "--macs", 1.5], "macs to be a number in (0, 1]"),
        (["rl-pruner", "--criterion", "tailor"], "'tailor' is not one of"),
        (["rl-pruner", "--max-drop", 0], "max_drop to be positive"),
        (["rl-pruner", "--model", "resnet57"], "Did you mean 'resnet56'"),
        (["prune", "one.keras", "--method", "rl_pruner", "--macs", 0.5], "at least two groups"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(call, tmp_path, arguments, words):
    chain([9, 10]).save("one.keras")
    done = call(*arguments, "--dataset", "digits", "--out", "run")
    assert (done.code, done.out) == (2, "")
    assert words in done.err and done.err.count("\n") == 1
    assert not (tmp_path / "run").exists()
