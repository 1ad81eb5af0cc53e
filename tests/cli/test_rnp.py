"""`keras-prune rnp` on the embedded digits, with short trainings."""

import json
import tomllib

import pytest

from keras_prune import zoo

SHORT = """
[train]
epochs = 1
[prune]
calibration_images = 64
updates = 1
"""


@pytest.fixture(autouse=True)
def short(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "short.toml").write_text(SHORT)


@pytest.mark.slow
def test_the_recipe_prints_its_tables(call, tmp_path):
    short = ["--episodes", 2, "--finetune-steps", 3, "--steps", 1, "--seed", 7]
    common = ["--dataset", "digits", "--config", "short.toml", "--out", "run"]
    done = call("rnp", *common, *short, "--price", -0.05, "--balance", 0.01)
    assert done.code == 0, done.err
    for title in ("Multiplications of convolutions", "How often", "By class", "Latency"):
        assert title in done.out
    assert "of the original's multiplications" in done.out
    assert "Channels kept" not in done.out  # none left for good
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["method"] == "rnp" and report["seed"] == 7
    config = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert config["common"]["model"] == "conv248"  # of rnp-digits.toml
    assert (config["prune"]["episodes"], config["recovery"]["steps_per_epoch"]) == (2, 3)
    assert (config["prune"]["price"], config["prune"]["balance"]) == (-0.05, 0.01)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--sets", 9], "Expected from 2 to 4 sets, for 'conv2' has 4 channels. Received: 9"),
        (["--sets", 1], "sets to be at least 2"),
        (["--price", 0], "price to be below 0"),
        (["-p", 0.1], "price to be below 0"),
        (["--model", "lenet300_100"], "no convolution to decide about"),
        (["--model", "conv5"], "Did you mean 'conv4'"),
        (["--episodes", 0], "episodes must be at least 1"),
        (["--weights", "absent.keras"], "absent.keras does not exist"),
    ],
)
def test_a_wrong_use_is_one_line(call, tmp_path, arguments, reason):
    done = call("rnp", "--dataset", "digits", "--out", "run", *arguments)
    assert done.code == 2
    assert reason in done.err
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_model_of_the_users_is_taught(call, tmp_path):
    zoo.conv248((8, 8, 1)).save(tmp_path / "mine.keras")
    short = ["--episodes", 1, "--finetune-steps", 1, "--steps", 1]
    common = ["--dataset", "digits", "--config", "short.toml", "--out", "run"]
    done = call("rnp", "--model", "mine.keras", *common, *short)
    assert done.code == 0, done.err
    assert call("evaluate", "run/pruned.keras", "--dataset", "digits").code == 0
