"""The installed command in a process of its own."""

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


COMMANDS = [
    "benchmark", "compare", "evaluate", "export", "inspect", "lenet5", "lenet300-100", "predict",
    "profile", "prune", "rl-pruner", "rnp", "run", "sensitivity", "taylor", "train", "vgg16",
]  # fmt: skip
LIGHT = [["--help"], *([name, "--help"] for name in COMMANDS), ["--version"], []]


@pytest.mark.parametrize("arguments", LIGHT)
def test_help_is_quick_and_imports_nothing_heavy(tmp_path, arguments):
    code = (
        "import sys\nfrom keras_prune.cli import main\n"
        f"sys.argv = ['keras-prune', *{arguments!r}]\n"
        "try:\n    main()\n"
        "finally:\n"
        "    heavy = {'keras', 'tensorflow', 'pandas', 'sklearn', 'matplotlib'}\n"
        "    print(heavy & set(sys.modules), file=sys.stderr)"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert time.monotonic() - started < 5  # about 0.2 s on a quiet machine
    assert (done.returncode, done.stderr) == (0, "set()\n")
    assert "keras-prune" in done.stdout


def test_version_is_the_packages(tmp_path):
    assert run("--version", cwd=tmp_path).stdout == "keras-prune 0.1.0\n"


def test_help_names_every_command(tmp_path):
    shown = run("--help", cwd=tmp_path).stdout
    assert all(f"\n  {name} " in shown for name in COMMANDS)


def test_a_usage_error_is_one_line(tmp_path):
    done = run("vgg16", "--b", "-1", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1


def test_a_typo_in_the_configuration_is_one_line_though_tensorflow_was_imported(tmp_path):
    (tmp_path / "my.toml").write_text("[prune]\nsampels = 3\n")
    done = run("vgg16", "--config", "my.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Did you mean 'samples'?" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["my.toml"]
