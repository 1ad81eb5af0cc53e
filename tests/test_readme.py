"""What the README says, holds."""

import re
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.S)


def test_the_first_two_commands_do_all_the_set_up():
    run, test = blocks("bash")[:2]
    for command in (run, test):
        assert command.startswith("python3 -m venv .venv && . .venv/bin/activate && pip install ")
        assert command.count("\n") == 1
    assert run.endswith("&& keras-prune vgg16 --b 1.0 --dataset digits\n")
    assert test.endswith("&& pytest\n")


def test_ci_runs_the_readmes_test_command():
    script = (ROOT / ".ci" / "run").read_text()
    (pattern,) = re.findall(r"grep --max-count=1 '(.*)' README.md", script)
    found = [line for line in README.splitlines() if re.search(pattern, line)]
    assert found == blocks("bash")[1].splitlines()


@pytest.mark.slow
def test_the_python_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    methods, parts = blocks("python")
    exec(methods, names)
    assert capsys.readouterr().out.split()[:2] == ["ranking", "mae"]
    for method in ("ranking", "rl_pruner"):
        for model in (names["regressor"], names["unet"]):
            small = keras.models.load_model(
                tmp_path / f"{model.name}-{method}.keras", compile=False
            )
            assert small.count_params() < 0.8 * model.count_params()
    assert {path.suffix for path in tmp_path.iterdir()} == {".keras"}  # nothing else is written
    exec(parts, names)
    assert names["small"].count_params() < names["model"].count_params() / 3
    assert (tmp_path / "model.tflite").stat().st_size > 3.9 * names["small"].count_params()


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)]+)\)", README))
def test_links_lead_somewhere(path):
    assert (ROOT / path.partition("#")[0]).exists()
