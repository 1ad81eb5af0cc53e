"""What files of others hold reaches neither the terminal nor a log as it is."""

import io
import zipfile
from pathlib import Path

import keras
import pytest
from rich.progress import Progress as RichProgress

from keras_prune.cli import progress
from keras_prune.cli.output import RunLog, logger, say_json
from keras_prune.cli.tables import console
from keras_prune.errors import DataError
from keras_prune.utils.progress import Progress
from tests.data.pictures import classes, picture

NAME = "a\x1b[31m[red]:smile:\u202e\x9b\x7f\nb"
SHOWN = r"a\x1b[31m[red]:smile:\u202e\x9b\x7f\nb"


def steers(text):
    return {sign for sign in text if not sign.isprintable() and sign != "\n"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("foreign")
    inputs = keras.Input((6, 5, 3))
    x = keras.layers.Flatten()(keras.layers.Conv2D(4, 3, name="plain")(inputs))
    outputs = keras.layers.Dense(2, "softmax", name="head")(x)
    keras.Model(inputs, outputs).save(path / "model.keras")
    x = keras.layers.Flatten()(keras.layers.Conv2D(4, 3, name=NAME)(inputs))
    outputs = keras.layers.Dense(2, "softmax", name="head")(x)
    keras.Model(inputs, outputs, name="M" + NAME).save(path / "named.keras")
    classes(path / "photos", {"cat\x1b[31m": 10, "[red]dog\u202e": 10})
    return path


@pytest.mark.parametrize(
    "arguments",
    ["inspect named.keras", "profile named.keras", "compare named.keras named.keras"],
)
def test_the_name_of_a_layer(call, folder, arguments, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(folder)
    verb, *files = arguments.split()
    done = call(verb, *(folder / name for name in files))
    assert (done.code, done.err) == (0, "")
    assert SHOWN in done.out and not steers(done.out)


def test_it_is_drawn_and_written_to_a_table_likewise(call, folder, tmp_path):
    plot, table = tmp_path / "plot.svg", tmp_path / "table.csv"
    assert call("inspect", folder / "named.keras", "--plot", plot).err == ""
    assert call("profile", folder / "named.keras", "--csv", table, "--json").code == 0
    assert SHOWN in plot.read_text() and SHOWN in table.read_text()


@pytest.fixture
def forgotten():
    """Lets Keras forget a name that TensorFlow refuses: it would stand before all later ones."""
    yield
    keras.backend.clear_session()


@pytest.mark.usefixtures("forgotten")
def test_a_model_that_cannot_be_called_by_its_name_is_told_in_one_line(call, folder):
    for verb in ("evaluate", "predict"):
        done = call(verb, folder / "named.keras", "--dataset", folder / "photos")
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "named.keras cannot be run: " in done.err and not steers(done.err)


def test_the_name_of_a_class_and_of_a_file(call, folder):
    done = call("predict", folder / "model.keras", "--dataset", folder / "photos")
    assert (done.code, done.err) == (0, "")
    assert r"cat\x1b[31m" in done.out and r"[red]dog\u202e" in done.out
    assert not steers(done.out)
    stray = picture(folder / "\udcff[red].png")
    done = call("predict", folder / "model.keras", stray)
    assert (done.code, done.err) == (0, "") and r"\udcff[red].png" in done.out
    done = call("predict", folder / "model.keras", "no\x1b[31m.png")
    assert done.code == 2 and r"no\x1b[31m.png" in done.err and not steers(done.err)


@pytest.mark.parametrize("word", ["\x1b[31m", "\udcff", "a\u202e"])
def test_what_was_typed_comes_back_escaped(call, word):
    for arguments in ([word], ["inspect", f"--{word}"], ["inspect", f"{word}.keras"]):
        done = call(*arguments)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert word.encode("unicode_escape").decode() in done.err and not steers(done.err)


def test_a_traceback_is_escaped_too(call, monkeypatch):
    def fail(*_):
        raise DataError(NAME)

    monkeypatch.setattr("keras_prune.cli.evaluate.opened", fail)
    done = call("evaluate", "m.keras", "--dataset", "digits", "--debug")
    assert "Traceback" in done.err and not steers(done.err)


def test_a_name_that_cannot_be_written_is_told(call, folder):
    (folder / "photos").rename(folder / "ph\udcff")
    try:
        done = call("train", "lenet5", "--dataset", folder / "ph\udcff", "--out", "run")
    finally:
        (folder / "ph\udcff").rename(folder / "photos")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert r"ph\udcff' ends in what is no utf-8: rename it." in done.err


def test_the_log(tmp_path):
    with RunLog(tmp_path) as log:
        logger.warning("%s", NAME)
        try:
            raise DataError(NAME)
        except DataError as error:
            log.failed(error, traceback=True)
    text = log.path.read_text()
    assert text.count(SHOWN) == 2 and r"\x1b[31m" in text.splitlines()[-2]
    assert "WARNING a" in text and "ERROR a" in text and not steers(text)


def test_progress():
    terminal, out = console(stderr=True), io.StringIO()
    terminal.file = out
    with RichProgress(console=terminal, auto_refresh=False) as bars:
        watcher = progress.Bars(bars)
        watcher(Progress(NAME, 1, 2, {NAME: 0.5}))
        assert bars.tasks[0].description == SHOWN
        watcher(Progress(NAME, 2, 2, {NAME: 0.5}))
    assert f"{SHOWN}  {SHOWN}=0.5" in out.getvalue()


def test_json_is_visible_ascii(capsys):
    say_json({NAME: NAME})
    text = capsys.readouterr().out
    assert not steers(text) and text.isascii()


def test_a_terminal_whose_signs_are_few(folder, call, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", out)
    assert call("profile", folder / "model.keras").code == 0
    assert call("inspect", folder / "model.keras").code == 0
    out.flush()
    assert b"plain" in out.buffer.getvalue()


def test_a_table_of_others_that_is_none(call, driver):
    def run(config, directory, **more):
        report = known(config, directory, **more)
        directory.write_text("layers.csv", '"')
        return report

    known = driver.run
    driver.run = run
    done = call("vgg16", "--out", "a")
    assert done.code == 0
    assert "Warning: a/layers.csv cannot be shown: " in done.err


def test_labels_without_an_end(call, folder):
    done = call("export", folder / "model.keras", "--out", "m.tflite", "--labels", "/dev/zero")
    assert done.code == 2 and "labels in /dev/zero cannot be read" in done.err


def test_metadata_of_a_tflite_file(call, folder):
    done = call("export", folder / "model.keras", "--out", "m.tflite")
    assert done.code == 0
    content = Path("m.tflite").read_bytes()
    for told in ("9" * 6000, "²"):
        name = f"{len(told)}.tflite"
        Path(name).write_bytes(content[: content.index(b"PK\3\4")])
        with zipfile.ZipFile(name, "a") as archive:
            archive.writestr("macs.txt", told)
        done = call("benchmark", name, "--turns", 1)
        assert done.code == 0 and name in done.out
