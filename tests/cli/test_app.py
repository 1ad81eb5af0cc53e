"""The installed command in a process of its own."""

import re
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

COMMAND = Path(sysconfig.get_path("scripts")) / "keras-prune"


def run(*arguments, cwd):
    return subprocess.run(
        [COMMAND, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120
    )


RECIPES = ["vgg16", "lenet5", "lenet300-100", "taylor", "rl-pruner", "rnp"]
VERBS = [
    "train", "prune", "evaluate", "predict", "inspect", "profile", "compare", "export", "benchmark",
    "sensitivity", "run",
]  # fmt: skip
COMMANDS = RECIPES + VERBS
IMPORTED = """
import sys
from keras_prune.cli import main
sys.argv = ["keras-prune", *{arguments!r}]
try:
    main()
finally:
    heavy = {{"keras", "tensorflow", "pandas", "sklearn", "matplotlib"}}
    print(heavy & set(sys.modules), file=sys.stderr)
"""
LIGHT = [["--help"], *([name, "--help"] for name in COMMANDS), ["--version"], []]


@pytest.mark.parametrize("arguments", LIGHT)
def test_help_is_quick_and_imports_nothing_heavy(tmp_path, arguments):
    code = IMPORTED.format(arguments=arguments)
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert time.monotonic() - started < 5  # about 0.2 s on a quiet machine
    assert (done.returncode, done.stderr) == (0, "set()\n")
    assert "keras-prune" in done.stdout


def test_version_is_the_packages(tmp_path):
    assert run("--version", cwd=tmp_path).stdout == "keras-prune 0.1.0\n"


def test_help_lists_recipes_and_verbs_apart(tmp_path):
    shown = run("--help", cwd=tmp_path).stdout
    _, recipes, verbs = re.split(r"\n(?:Recipes|Verbs)[^\n]*:\n", shown)
    for text, names in ((recipes, RECIPES), (verbs, [*VERBS, "cache"])):
        assert re.findall(r"^  (\S+) ", text, re.M) == names


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_how_much_it_says(tmp_path, name):
    shown = run(name, "--help", cwd=tmp_path).stdout
    assert all(f"  --{option} " in shown for option in ("quiet", "verbose", "debug"))


def test_a_usage_error_is_one_line(tmp_path):
    done = run("vgg16", "--b", "-1", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["vgg16", "--config", "my.toml"], "Did you mean 'samples'?"),
        (["vgg16", "--samples", "1"], "samples"),
        (["taylor", "--macs", "0.5", "--ratio", "0.5"], "budget"),
        (["run", "my.toml"], "method"),
        (["taylor", "--config", "/dev/zero"], "a device or a pipe"),
        (["taylor", "--seed", "-1"], "from 0 to 2147483647"),
        (["taylor", "--seed", "2147483648"], "from 0 to 2147483647"),
    ],
)
def test_a_mistake_is_one_line_before_anything_heavy_is_imported(tmp_path, arguments, words):
    (tmp_path / "my.toml").write_text("[prune]\nsampels = 3\n")
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED.format(arguments=arguments)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    said, imported = done.stderr.splitlines()
    assert said.startswith("Error: ") and words in said
    assert imported == "set()"
    assert [path.name for path in tmp_path.iterdir()] == ["my.toml"]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(28, "No space left on device", "/run/x.csv"),
            "No space left on device: /run/x.csv",
        ),
        (OSError("pipe"), "pipe. What was written before stays."),
        (PermissionError(13, "Permission denied", "a", None, "b"), "Permission denied: a: b"),
        (MemoryError(), "There is not enough memory. Give a smaller --batch-size"),
    ],
)
def test_what_the_system_has_not_is_one_line(error, line, call, monkeypatch):
    def starve(*_, **__):
        raise error

    monkeypatch.setattr("keras_prune.cli.evaluate.opened", starve)
    done = call("evaluate", "model.keras", "--dataset", "digits")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"Error: {line}") and done.err.count("\n") == 1


def test_a_name_that_is_too_long_for_a_file(call):
    done = call("taylor", "--dataset", "x" * 300)
    assert done.code == 2 and done.err.count("\n") == 1
    assert done.err.startswith("Error: ") and "x" * 300 in done.err
