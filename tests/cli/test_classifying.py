"""`keras-prune evaluate` and `keras-prune predict` on classifiers whose answer is known."""

import json
import re
import shutil

import keras
import pytest
from keras import layers as kl

from keras_prune.exporting import export
from tests.classifiers import dark_or_light, pictures
from tests.data.pictures import picture


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    model = dark_or_light()
    for name in ("model.keras", "model.kpz", "model.tflite", "saved"):
        export(model, folder / name)
    pictures(folder / "photos")
    picture(folder / "a[b].png", 250, size=(11, 3))
    picture(folder / "night.png", 3)
    return folder


@pytest.fixture
def folder(written, tmp_path):
    return shutil.copytree(written, tmp_path, dirs_exist_ok=True)


@pytest.mark.parametrize("model", ["model.keras", "model.kpz", "model.tflite", "saved"])
def test_evaluate_reads_the_split_that_is_asked_for(call, folder, model):
    test = json.loads(call("evaluate", model, "--dataset", "photos", "--json").out)
    assert (test["split"], test["examples"]) == ("test", 20)
    assert test["accuracy"] == pytest.approx(90)
    done = call("evaluate", model, "--dataset", "photos", "--split", "validation")
    assert (done.code, done.err) == (0, "")
    assert "20 examples of the validation split: accuracy 100.00 %, loss 0.0000" in done.out


@pytest.mark.filterwarnings("always::keras_prune.errors.ResultWarning")
def test_images_are_scaled_as_the_network_was_trained(call, folder):
    """One that was trained on pixel values from 0 to 1 is at chance, until it gets them."""
    model = keras.Sequential([keras.Input((6, 5, 3)), kl.Rescaling(255), dark_or_light()])
    model.save(folder / "scaled.keras")
    data = ["--dataset", "photos"]
    done = call("evaluate", "scaled.keras", *data)
    assert "accuracy 50.00 %" in done.out
    assert (
        "Warning: The accuracy of the given network is 50.00 %, and guessing one of 2" in done.err
    )
    done = call("evaluate", "scaled.keras", *data, "--rescale", "1/255")
    assert (done.err, "accuracy 90.00 %" in done.out) == ("", True)
    for images in (["night.png"], [*data, "--examples", 9]):
        likeliest = [
            json.loads(call("predict", *options, *images, "--json").out)
            for options in (["scaled.keras", "--rescale", "1/255"], ["model.keras"])
        ]
        classes = [[a["predictions"][0]["class"] for a in answers] for answers in likeliest]
        assert classes[0] == classes[1] and 0 in classes[0]
    pictures(folder / "many", counts=64)
    options = ["--dataset", "many", "--out", "out.keras", "--json", "--force"]
    for scale in ([], ["--rescale", "1/255"]):
        done = call("export", "scaled.keras", *options, *scale)
        assert done.code == 0, done.err
        assert (json.loads(done.out)["model_accuracy"] > 60) == bool(scale)
        assert ("given network" in done.err) == (not scale)


@pytest.mark.parametrize("model", ["model.kpz", "model.tflite"])
def test_predict_files_whatever_their_size(call, folder, model):
    done = call("predict", model, "a[b].png", "night.png", "--json", "--top", 9)
    assert (done.code, done.err) == (0, "")
    bright, night = json.loads(done.out)
    assert (bright["image"], night["image"]) == ("a[b].png", "night.png")
    assert [answer["class"] for answer in bright["predictions"]] == [1, 0]
    assert [answer["class"] for answer in night["predictions"]] == [0, 1]
    assert bright["predictions"][0]["probability"] > 0.999
    assert "name" not in bright["predictions"][0] and "true" not in bright


def test_predict_shows_a_table(call, folder):
    done = call("predict", "saved", "a[b].png", "--top", 2)
    assert done.code == 0
    rows = [line.split("│")[1:-1] for line in done.out.splitlines() if "a[b].png" in line]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["a[b].png", "1", "100.00"],
        ["a[b].png", "0", "0.00"],
    ]


def test_predict_examples_with_their_true_classes(call, folder):
    arguments = ["--dataset", "photos", "--examples", 6, "--json"]
    answers = json.loads(call("predict", "model.keras", *arguments).out)
    assert len(answers) == 6
    for answer in answers:
        assert answer["predictions"][0]["class"] == answer["true"]["class"]
        assert answer["true"]["name"] == ["dark", "light"][answer["true"]["class"]]


def test_class_names_come_from_the_report_beside_the_model(call, folder):
    (folder / "report.json").write_text(json.dumps({"class_names": ["dark", "light"]}))
    assert "light" in call("predict", "model.keras", "a[b].png").out
    (folder / "report.json").write_text(json.dumps({"class_names": ["one of three"] * 3}))
    assert "one of three" not in call("predict", "model.keras", "a[b].png").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "model.keras"], "Missing option '--dataset'"),
        (["evaluate", "absent.keras", "--dataset", "digits"], "absent.keras does not exist"),
        (["evaluate", "bad.tflite", "--dataset", "digits"], "bad.tflite is not a TFLite file"),
        (["evaluate", "photos", "--dataset", "digits"], "photos is a folder without a .keras file"),
        (["evaluate", "model.tflite", "--dataset", "digits"], "classes 10. Received: 2"),
        (["evaluate", "model.keras", "--dataset", "none"], "Unknown data set 'none'"),
        (["evaluate", "model.keras", "--dataset", "no:where"], "Cannot import the module 'no'"),
        (["evaluate", "model.keras", "--dataset", "photos", "--split", "train"], "'--split'"),
        (["predict", "model.keras"], "Expected image files, or --dataset"),
        (["predict", "model.keras", "night.png", "--dataset", "photos"], "Expected image files"),
        (["predict", "model.keras", "absent.png"], "Image absent.png does not exist"),
        (["predict", "model.keras", "night.png", "bad.png"], "Cannot read the image bad.png"),
        (["predict", "model.keras", "photos"], "Image photos does not exist"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(call, folder, arguments, message):
    for name in ("bad.tflite", "bad.png"):
        (folder / name).write_text("hello")
    done = call(*arguments)
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"Error: [^\n]+\n", done.err)
    assert message in done.err
