"""`keras-prune benchmark` on real files."""

import csv
import json
import subprocess
import sysconfig
from pathlib import Path

import keras
import pytest

from keras_prune.exporting import export

COMMAND = Path(sysconfig.get_path("scripts")) / "keras-prune"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("models")
    for width in (8, 3):
        image = keras.Input((8, 8, 3))
        x = keras.layers.Conv2D(width, 3, name="conv")(image)
        x = keras.layers.GlobalAveragePooling2D()(x)
        model = keras.Model(image, keras.layers.Dense(2, name="logits")(x))
        for suffix in (".keras", ".kpz", ".tflite", ".onnx", ""):
            export(model, path / f"{width}{suffix}")
    (path / "text.tflite").write_text("hello")
    return path


@pytest.mark.slow
def test_a_table_and_a_csv_file(folder, call, monkeypatch):
    monkeypatch.chdir(folder)
    done = call("benchmark", "8.tflite", "3.tflite", "3.onnx", "--turns", 2, "--csv", "table.csv")
    assert done.code == 0
    for word in ("1 thread", "3.onnx", "median ms", "per second", "realised", "gzip"):
        assert word in done.out
    rows = list(csv.DictReader((folder / "table.csv").read_text().splitlines()))
    assert [row["path"] for row in rows] == ["8.tflite", "3.tflite", "3.onnx"]
    assert float(rows[0]["speedup"]) == 1


@pytest.mark.slow
def test_every_kind_in_one_run_as_json(folder):
    """In a process of its own, where TensorFlow has not run yet and takes the threads."""
    files = ["8.keras", "8.kpz", "8", "8.tflite", "8.onnx"]
    options = "--json --turns 1 --batch-size 1 --batch-size 2 --threads 1".split()
    done = subprocess.run(
        [COMMAND, "benchmark", *files, *options],
        cwd=folder, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "INFO" not in done.stderr  # LiteRT greets on its first call
    rows = json.loads(done.stdout)["rows"]
    assert [(row["path"], row["batch_size"]) for row in rows] == [
        (file, count) for count in (1, 2) for file in files
    ]
    assert len({row["macs"] for row in rows}) == 1


@pytest.mark.slow
def test_layers(folder, call, monkeypatch):
    monkeypatch.chdir(folder)
    done = call("benchmark", "8.keras", "3.keras", "--per-layer", "--turns", 1)
    assert done.code == 0
    for word in ("conv", "logits", "MAC ratio"):
        assert word in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "Missing argument"),
        ("absent.tflite", "absent.tflite does not exist"),
        ("text.tflite", "text.tflite is not a TFLite file"),
        ("8.tflite --batch-size 0", "0 is not in the range"),
        (
            "8.tflite --turns 1 --csv absent/t.csv",
            "t.csv: absent is no directory",
        ),
        ("8.keras --per-layer", "compares two .keras files"),
        ("8.tflite 3.tflite --per-layer", "8.tflite"),
        ("8.keras 8.keras --per-layer", "no layer of the same name with other MACs"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(folder, call, monkeypatch, arguments, words):
    monkeypatch.chdir(folder)
    done = call("benchmark", *arguments.split())
    assert (done.code, done.out) == (2, "")
    *_, line = done.err.splitlines()
    assert line.startswith("Error: ") and words in line
