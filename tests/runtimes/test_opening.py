"""Model files of every kind, opened by path."""

import sys

import keras
import numpy as np
import pytest

from keras_prune.errors import ConfigError, ModelError
from keras_prune.exporting import export
from keras_prune.runtimes import Port, open_runtime

FILES = ["m.keras", "m.kpz", "saved", "m.tflite", "m.onnx"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("files")
    a, b = keras.Input((4,), name="b"), keras.Input((4,), name="a")
    difference = keras.layers.Subtract()([a, b])
    model = keras.Model([a, b], [keras.layers.Rescaling(k)(difference) for k in range(11)])
    for name in FILES:
        export(model, path / name)
    (path / "text.tflite").write_text("hello, this is no model")
    (path / "text.onnx").write_text("hello")
    (path / "text.keras").write_text("hello")
    (path / "model.h5").write_text("hello")
    (path / "folder").mkdir()
    return path


@pytest.mark.parametrize("name", FILES)
def test_inputs_go_by_name_and_outputs_by_number(folder, name):
    runtime = open_runtime(folder / name, threads=None)
    assert set(runtime.inputs) == {Port(n, (None, 4), "float32") for n in "ab"}
    values = {"a": np.full((2, 4), 1, "float32"), "b": np.full((2, 4), 5, "float32")}
    outputs = runtime([values[entry.name] for entry in runtime.inputs])
    assert len(outputs) == 11
    np.testing.assert_array_equal(outputs[10], 10 * (values["b"] - values["a"]))


@pytest.mark.parametrize("name", ["m.tflite", "m.onnx"])
def test_threads_can_be_chosen(folder, name):
    assert open_runtime(folder / name, threads=2).inputs


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("absent.tflite", "does not exist"),
        ("text.tflite", "text.tflite is not a TFLite file"),
        ("text.onnx", "text.onnx cannot be loaded"),
        ("text.keras", "not a Keras file"),
        ("model.h5", "not a Keras file, or is damaged"),
        ("folder", "is a folder without a .keras file"),
    ],
)
def test_what_is_no_model_is_one_line(folder, name, words):
    with pytest.raises(ModelError, match=words) as caught:
        open_runtime(folder / name)
    assert "\n" not in str(caught.value)


def test_onnx_that_is_not_installed(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigError, match=r"pip install 'keras-prune\[onnx\]'"):
        open_runtime(folder / "m.onnx")


def test_tensorflows_threads_cannot_change_under_way(folder):
    open_runtime(folder / "m.keras")([np.ones((1, 4), "float32")] * 2)
    with pytest.raises(ConfigError, match="Start a new Python process"):
        open_runtime(folder / "m.keras", threads=7)
