"""What gets installed, and what importing it costs."""

import configparser
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import keras_prune

ROOT = Path(__file__).parents[1]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")


def elsewhere(code: str, cwd: Path) -> str:
    """Runs Python away from the checkout, so that only what is installed can be imported."""
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_setup_lists_every_package():
    listed = set(SETUP["options"]["packages"].split())
    folders = {p.parent.relative_to(ROOT) for p in (ROOT / "keras_prune").rglob("*.py")}
    found = {".".join(folder.parts) for folder in folders}
    assert listed - {"keras_prune.cli", "keras_prune.configs"} >= found
    for package in listed - {"keras_prune.cli", "keras_prune.configs"}:
        assert (ROOT / package.replace(".", "/")).is_dir()


def test_the_command_line_is_installed_inside_the_package(tmp_path):
    find = "from importlib.util import find_spec as f; print(f('cli'), f('configs'), bool(f('{}')))"
    assert elsewhere(find.format("keras_prune.cli"), tmp_path) == "None None True"


def test_no_top_level_module_but_the_package_is_installed(tmp_path):
    code = "import importlib.metadata as m; print(*{f.parts[0] for f in m.files('keras-prune')})"
    tops = elsewhere(code, tmp_path).split()
    # besides the package: its metadata, the script (`..`), and an editable install's two hooks
    others = {top for top in tops if not top.startswith(("..", "__")) and "dist-info" not in top}
    assert others <= {"keras_prune"}


def test_recipes_are_installed(tmp_path):
    code = (
        "from importlib.resources import files\n"
        "print((files('keras_prune.configs') / 'vgg16.toml').read_text())"
    )
    assert tomllib.loads(elsewhere(code, tmp_path)) == tomllib.loads(
        (ROOT / "configs" / "vgg16.toml").read_text()
    )


def test_entry_point():
    scripts = importlib.metadata.entry_points(group="console_scripts", name="keras-prune")
    assert [script.value for script in scripts] == ["keras_prune.cli:main"]


@pytest.mark.parametrize(
    "name",
    ["keras_prune", "keras_prune.errors", "keras_prune.utils.config", "keras_prune.tracking"],
)
def test_light_modules_import_neither_keras_nor_tensorflow(name, tmp_path):
    code = f"import sys, {name}; print(sorted({{'keras', 'tensorflow'}} & set(sys.modules)))"
    assert elsewhere(code, tmp_path) == "[]"


def test_every_public_name_is_there():
    assert len(set(keras_prune.__all__)) == len(keras_prune.__all__)
    for name in keras_prune.__all__:
        assert getattr(keras_prune, name) is not None
    assert set(keras_prune.__all__) <= set(dir(keras_prune))


def test_functions_keep_their_names_whatever_was_imported():
    import keras_prune.exporting.model_export
    import keras_prune.profiling

    for name in ("export", "profile", "compare", "prune", "silence"):
        assert callable(getattr(keras_prune, name)), name


def test_no_public_name_is_hidden_by_a_module():
    functions = set(keras_prune._HOMES)
    modules = {p.stem for p in (ROOT / "keras_prune").iterdir()}
    assert not functions & modules


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'prun'"):
        keras_prune.prun  # noqa: B018


def test_constraints_pin_every_requirement():
    pins = (ROOT / "constraints.txt").read_text().split()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin) for pin in pins)
    pinned = {canonical(pin.split("==")[0]) for pin in pins}
    options = SETUP["options"]["install_requires"], *SETUP["options.extras_require"].values()
    required = {canonical(re.split(r"[<>=[]", line)[0]) for line in "\n".join(options).split()}
    assert required - {"keras-prune"} <= pinned


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
