"""`keras-prune inspect` on real files."""

import json
import subprocess
import sysconfig
from pathlib import Path

import keras
import pytest
from keras import layers as kl

from keras_prune.graph import ChannelGraph
from tests.networks import conv, head, image
from tests.networks.barriers import Unknown

COMMAND = Path(sysconfig.get_path("scripts")) / "keras-prune"


def run(*arguments, cwd):
    """The installed command in a process of its own, where no custom class is registered."""
    command = [COMMAND, "inspect", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("models")
    i = image()
    x = kl.LayerNormalization(name="mixes[all]")(conv(5, "pinned")(conv(8, "a")(i)))
    keras.Model(i, head(conv(6, "b")(x)), name="mine").save(path / "model.keras")
    keras.Model(i, head(Unknown(name="odd")(i))).save(path / "custom.keras")
    (path / "text.keras").write_text("hello")
    return path


def test_tables_name_groups_pins_and_barriers(folder, call):
    done = call("inspect", folder / "model.keras")
    assert (done.code, done.err) == (0, "")
    for word in ("Groups", "a, pinned", "Pinned channels", "5 of 5", "Barriers", "mixes[all]"):
        assert word in done.out


@pytest.mark.slow
def test_json_is_all_there_is_on_stdout(folder):
    done = run("model.keras", "--json", "--plot", "graph.svg", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    model = keras.models.load_model(folder / "model.keras")
    expected = json.dumps(ChannelGraph(model).summary().to_dict())
    assert json.loads(done.stdout) == json.loads(expected)
    assert "<svg" in (folder / "graph.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent.keras"], "absent.keras does not exist"),
        (["text.keras"], "not a Keras file"),
        (["model.keras", "--plot", "graph.pdf"], "written as .svg or .png"),
        (["model.keras", "--plot", "absent/graph.svg"], "Cannot write the drawing"),
        ([], "Missing argument"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(folder, call, monkeypatch, arguments, words):
    monkeypatch.chdir(folder)
    done = call("inspect", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: ") and done.err.count("\n") == 1
    assert words in done.err


@pytest.mark.slow
def test_a_class_that_is_not_registered_is_one_line(folder):
    done = run("custom.keras", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "'Unknown' is not registered. Import the module that defines it" in done.stderr
