"""The whole command on real data: a process of its own, the smallest settings."""

import json
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

COMMAND = Path(sysconfig.get_path("scripts")) / "keras-prune"
TINY = (
    "vgg16 --b 1.0 --dataset digits --seed 3 --epochs 4 --samples 2 --max-updates 2 "
    "--reward-images 64 --finetune-steps 1 --finetune-epochs 1"
).split()


@pytest.mark.slow
def test_vgg16_on_digits(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(tmp_path / "cache"))
    done = subprocess.run(
        [COMMAND, *TINY, "--out", "out"], cwd=tmp_path, capture_output=True, text=True, timeout=1100
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Run directory: out\n")
    assert "Traceback" not in done.stderr and "0000 00:00" not in done.stderr
    run = tmp_path / "out"
    assert {path.name for path in run.iterdir()} == {
        "baseline.keras",
        "config.toml",
        "history.csv",
        "layers.csv",
        "log.txt",
        "model.tflite",
        "plan.json",
        "pruned.keras",
        "report.json",
        "saved_model",
        "training.csv",
        "training.svg",
    }
    report = json.loads((run / "report.json").read_text())
    assert (report["dataset"], report["seed"], report["method"]) == ("digits", 3, "filter_agent")
    assert report["before"]["test"] >= 97  # four epochs teach a VGG16 the digits
    assert report["after"]["parameters"] <= report["before"]["parameters"]
    assert len(report["groups"]) == 14
    assert tomllib.loads((run / "config.toml").read_text())["prune"]["max_updates"] == 2
    assert parameters_without_the_package(run / "pruned.keras") == report["after"]["parameters"]


def parameters_without_the_package(path: Path) -> int:
    code = (
        "import sys, keras\n"
        f"print(keras.models.load_model({str(path)!r}).count_params())\n"
        "assert 'keras_prune' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=path.parent, capture_output=True, text=True
    )
    return int(done.stdout.split()[-1])
