"""`keras-prune export` on real files."""

import json
import subprocess
import sysconfig
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_prune.runtimes import open_runtime

COMMAND = Path(sysconfig.get_path("scripts")) / "keras-prune"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("models")
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(keras.layers.Conv2D(4, 3, activation="relu")(image))
    keras.Model(image, keras.layers.Dense(10)(x)).save(path / "model.keras")
    keras.Model(image, keras.layers.Dense(3)(x)).save(path / "three.keras")
    (path / "text.keras").write_text("hello")
    (path / "labels.txt").write_text("\n".join(map(str, range(10))))
    (path / "taken.tflite").write_text("mine")
    return path


@pytest.mark.parametrize("out", ["m.tflite", "m.onnx", "saved", "other.keras"])
def test_every_format(folder, call, tmp_path, out):
    done = call("export", folder / "model.keras", "--out", tmp_path / out)
    assert (done.code, done.err) == (0, "")
    assert "Largest error" in done.out and f"Verified: {tmp_path / out}" in done.out
    assert open_runtime(tmp_path / out)([np.ones((2, 8, 8, 1), "float32")])[0].shape == (2, 10)


def test_int8_calibrated_and_judged_on_a_data_set(folder, call, tmp_path):
    arguments = "--quantize int8_io --dataset digits --examples 100 --signature classify".split()
    labels = ["--labels", folder / "labels.txt", "--input-range", 0, 255, "--batch-size", 1]
    done = call(
        "export", folder / "model.keras", "--to", "tflite", "--out", tmp_path / "m.tflite",
        *arguments, *labels, "--json",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert (found["format"], found["quantize"]) == ("tflite", "int8_io")
    assert found["top1_agreement"] >= 90
    assert 0 <= found["accuracy"] <= 100 and 0 <= found["model_accuracy"] <= 100
    runtime = open_runtime(tmp_path / "m.tflite")
    assert runtime.metadata["labels"].split() == [*"0123456789"]
    assert (runtime.inputs[0].shape, runtime.inputs[0].dtype) == ((1, 8, 8, 1), "int8")


def test_what_exists_is_replaced_by_force_only(folder, call, tmp_path):
    out = tmp_path / "m.tflite"
    out.write_text("mine")
    done = call("export", folder / "model.keras", "--out", out)
    assert done.code == 2 and "exists" in done.err and out.read_text() == "mine"
    assert call("export", folder / "model.keras", "--out", out, "--force").code == 0
    assert out.read_bytes()[4:8] == b"TFL3"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("absent.keras --out m.tflite", "absent.keras does not exist"),
        ("text.keras --out m.tflite", "not a Keras file"),
        ("model.keras", "Missing option '--out'"),
        ("model.keras --out m.h5", "Unknown format '.h5'"),
        ("model.keras --out m.tflite --to onnx", "must end in .onnx"),
        ("model.keras --out taken.tflite", "taken.tflite exists"),
        ("model.keras --out absent/m.tflite", "Cannot write absent/m.tflite"),
        ("model.keras --out m.tflite --quantize int8", "--dataset"),
        ("model.keras --out m.onnx --quantize dynamic", "no place for quantize"),
        ("model.keras --out m.tflite --dataset digit", "Did you mean 'digits'"),
        ("three.keras --out m.tflite --dataset digits", "number of classes 10"),
        ("model.keras --out m.tflite --labels absent.txt", "labels in absent.txt cannot be read"),
        ("model.keras --out m.tflite --labels m.tflite --quantize int9", "int9"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(folder, call, monkeypatch, arguments, words):
    monkeypatch.chdir(folder)
    before = sorted(folder.iterdir())
    done = call("export", *arguments.split())
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: ") and done.err.count("\n") == 1
    assert words in done.err
    assert sorted(folder.iterdir()) == before


@pytest.mark.slow
def test_a_disk_that_is_full_is_one_line(folder, tmp_path):
    """No file may grow beyond 4 blocks of 1 KiB, which stands for a disk without room."""
    model = folder / "model.keras"
    command = f"ulimit -f 4; {COMMAND} export {model} --out m.tflite"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "Error: " in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_sparse_writes_every_form_and_a_table(folder, call, tmp_path):
    out = tmp_path / "forms"
    arguments = ["--sparse", "--out", out, "--dataset", "digits", "--examples", 20]
    done = call("export", folder / "model.keras", *arguments)
    assert (done.code, done.err) == (0, "")
    for text in ("dense.tflite", "int8.tflite", "packed.kpz", "times smaller", "Storage only"):
        assert text in done.out
    header, *rows = (out / "sizes.csv").read_text().splitlines()
    assert header.startswith("file,bytes,gzip_bytes,times_smaller,")
    assert len(rows) == len(list(out.iterdir())) - 1


def test_sparse_takes_no_options_of_one_file(folder, call, tmp_path):
    done = call("export", folder / "model.keras", "--sparse", "--out", tmp_path, "--to", "tflite")
    assert (done.code, done.out) == (2, "")
    assert done.err == "Error: --sparse writes files of its own: leave out --to.\n"
