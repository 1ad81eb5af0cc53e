"""`keras-prune train`, with real trainings of a moment."""

import csv
import json
import re
import tomllib

import keras
import numpy as np
import pytest

from keras_prune.exporting import export
from tests.classifiers import dark_or_light, pictures

TINY = ["train", "lenet300_100", "--dataset", "digits", "--epochs", 2]


def test_a_run_directory_holds_all_there_is_and_can_be_repeated(call, tmp_path):
    recording = ["--tensorboard", "logs"]
    done = call(*TINY, "--out", "a", "--learning-rate", 0.01, "--seed", 3, *recording)
    assert done.code == 0
    assert "lenet300_100 on digits" in done.out and done.out.endswith("Run directory: a\n")
    assert re.search(r"^train  66/66 .*val_accuracy=", done.err, re.M)
    run = tmp_path / "a"
    names = {path.name for path in run.iterdir()}
    assert names == {"model.keras", "history.csv", "config.toml", "log.txt", "report.json"}
    assert list((tmp_path / "logs" / "train" / "validation").glob("events*"))
    rows = list(csv.DictReader((run / "history.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    report = json.loads((run / "report.json").read_text())
    assert report["figures"]["validation"] == float(rows[-1]["val_accuracy"]) > 60
    assert report["class_names"] == list("0123456789")
    config = tomllib.loads((run / "config.toml").read_text())
    assert (config["common"]["seed"], config["train"]["learning_rate"]) == (3, 0.01)

    assert call("train", "lenet300_100", "--config", "a/config.toml", "--out", "b").code == 0
    first, second = (keras.models.load_model(tmp_path / out / "model.keras") for out in "ab")
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)

    found = json.loads(call("evaluate", "a/model.keras", "--dataset", "digits", "--json").out)
    assert found["accuracy"] == pytest.approx(report["figures"]["test"])
    assert found["loss"] == pytest.approx(report["figures"]["loss"], rel=1e-4)


@pytest.mark.parametrize("name", ["mine.keras", "mine.kpz"])
def test_a_file_of_the_users_goes_on_from_its_own_weights(call, tmp_path, name):
    model = dark_or_light()
    export(model, tmp_path / name)
    pictures(tmp_path / "photos")
    options = ["--dataset", "photos", "--epochs", 1, "--batch-size", 5, "--learning-rate", 1e-9]
    assert call("train", name, *options, "--out", "out").code == 0
    trained = keras.models.load_model(tmp_path / "out" / "model.keras")
    for one, other in zip(model.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["class_names"] == ["dark", "light"]
    assert report["figures"]["test"] == pytest.approx(90)


def test_what_was_won_is_kept_though_a_test_image_cannot_be_read(call, tmp_path):
    dark_or_light().save(tmp_path / "mine.keras")
    pictures(tmp_path / "photos")
    (tmp_path / "photos" / "test" / "dark" / "3.png").write_text("no image")
    options = ["--dataset", "photos", "--epochs", 1, "--batch-size", 5]
    done = call("train", "mine.keras", *options, "--out", "out")
    assert (done.code, done.out) == (2, "")
    assert "photos/test/dark/3.png" in done.err.splitlines()[-1]
    assert (tmp_path / "out" / "model.keras").is_file()
    assert not (tmp_path / "out" / "report.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lenet5"], "Missing option '--dataset'"),
        (["lenet6", "--dataset", "digits"], "Unknown network 'lenet6'. Did you mean 'lenet5'?"),
        (["lenet5", "--dataset", "digit"], "Unknown data set 'digit'. Did you mean 'digits'?"),
        (["absent.keras", "--dataset", "digits"], "absent.keras does not exist"),
        (["text.keras", "--dataset", "digits"], "not a Keras file"),
        (["mine.keras", "--dataset", "digits"], "expected number of classes 10. Received: 2"),
        (["lenet5", "--dataset", "digits", "--out", "used"], "used is not empty"),
        (
            ["lenet5", "--dataset", "digits", "--learning-rate", "0"],
            "learning_rate to be a positive finite number",
        ),
        (
            ["lenet5", "--dataset", "digits", "--precision", "half"],
            "'half' is not one of 'float32'",
        ),
        (["lenet5", "--dataset", "digits", "--batch-size", "0"], "batch size of at least 1"),
        (["lenet5", "--dataset", "used"], "at least two classes"),
        (["lenet5", "--config", "typo.toml"], "Did you mean 'epochs'?"),
        (["lenet5", "--config", "flat.toml"], "common expects a table of keys"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(call, tmp_path, arguments, message):
    dark_or_light().save(tmp_path / "mine.keras")
    (tmp_path / "text.keras").write_text("hello")
    (tmp_path / "typo.toml").write_text("[common]\ndataset = 'digits'\n[train]\nepoch = 1\n")
    (tmp_path / "flat.toml").write_text("common = 3\n")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    out = [] if "--out" in arguments else ["--out", "new"]
    done = call("train", *arguments, *out)
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"Error: [^\n]+\n", done.err)
    assert message in done.err
    assert sorted(tmp_path.rglob("*")) == before
