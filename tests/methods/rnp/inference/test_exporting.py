"""Files of a runtime-pruned model: they run, skip, and decide as the masked network does."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_prune.errors import ExportError
from keras_prune.exporting import export
from keras_prune.exporting.formats.tflite import TFLite
from keras_prune.methods.rnp.inference.forms import RuntimeForm
from keras_prune.methods.rnp.inference.model import RuntimePrunedModel
from keras_prune.runtimes import open_runtime
from keras_prune.runtimes.predictors import open_predictor
from tests.methods.rnp.inference.nets import (
    chain,
    pictures,
    randomized,
    residual,
    runtime_pruned,
)


@pytest.fixture(scope="module")
def model():
    return runtime_pruned()


@pytest.fixture(scope="module")
def files(model, tmp_path_factory):
    """One file of each format, exported with its pictures."""
    folder = tmp_path_factory.mktemp("files")
    reports = [export(model, folder / name, batch=pictures(16)) for name in ("m.tflite", "m")]
    return {report.format: (folder / report.path, report) for report in reports}


@pytest.mark.parametrize("format", ["tflite", "saved_model"])
def test_outputs_and_actions_image_by_image(model, files, format):
    runtime = open_runtime(files[format][0])
    images = pictures(12, seed=5)
    expected = model.masked(images)
    for n in range(len(images)):
        outputs, actions = runtime([images[n : n + 1]])
        np.testing.assert_allclose(outputs[0], expected[0][n], atol=1e-5)
        np.testing.assert_array_equal(actions[0], expected[1][n])


@pytest.mark.parametrize("format", ["tflite", "saved_model"])
def test_what_the_report_says(files, format):
    report = files[format][1]
    assert report.decided == 100 and report.top1_agreement == 100
    assert report.max_abs_error < 1e-5


def test_a_saved_model_takes_any_batch(model, files):
    runtime = open_runtime(files["saved_model"][0])
    for count in (1, 2, 9):
        outputs, actions = runtime([pictures(count)])
        np.testing.assert_allclose(outputs, model.masked(pictures(count))[0], atol=1e-5)
        np.testing.assert_array_equal(actions, model.masked(pictures(count))[1])


@pytest.mark.parametrize("format", ["tflite", "saved_model"])
def test_a_file_is_a_classifier_like_any_other(model, files, format):
    predictor = open_predictor(files[format][0])
    assert predictor.num_classes == 5
    found = predictor(pictures(4)).argmax(axis=1)
    np.testing.assert_array_equal(found, np.argmax(model.masked(pictures(4))[0], axis=1))


@pytest.mark.slow
def test_other_networks_and_int8_weights(tmp_path):
    model = runtime_pruned(residual())
    assert export(model, tmp_path / "r.tflite", batch=pictures(8)).decided == 100
    found = export(model, tmp_path / "q.tflite", batch=pictures(8), quantize="dynamic")
    assert found.top1_agreement >= 90


def test_a_keras_file(model, tmp_path):
    report = export(model, tmp_path / "m.keras", batch=pictures(4))
    assert report.max_abs_error == 0
    assert open_runtime(tmp_path / "m.keras").inputs[0].shape == (None, 16, 16, 3)


@pytest.mark.slow
def test_preprocessing_goes_in_front(model, tmp_path):
    images = 255 * pictures(4)
    for name in ("m.tflite", "m"):
        report = export(
            model, tmp_path / name, batch=images, preprocessing=keras.layers.Rescaling(1 / 255)
        )
        assert report.decided == 100


def test_tflite_takes_one_image_at_a_time(model, tmp_path):
    with pytest.raises(ExportError, match="batches of 1 only. Received: batch_size=4"):
        export(model, tmp_path / "m.tflite", batch_size=4)
    assert not [*tmp_path.iterdir()]


def test_a_saved_model_is_tried_with_one_image_and_with_many(model):
    assert model.deployed("saved_model").tried == (1, 32)


def test_onnx_is_refused(model, tmp_path):
    with pytest.raises(ExportError, match="cannot be written as onnx. Export a saved_model"):
        export(model, tmp_path / "m.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["m.tflite", "m"])
def test_a_file_that_decides_otherwise_is_refused(model, tmp_path, name, monkeypatch):
    honest = RuntimeForm.call

    def call(form, inputs):
        outputs, actions = honest(form, inputs)
        return [outputs, actions if form.form == "masked" else tf.zeros_like(actions)]

    monkeypatch.setattr(RuntimeForm, "call", call)
    with pytest.raises(ExportError, match="decides as the model does in .* % of the examples"):
        export(model, tmp_path / name, batch=pictures(8))
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_a_file_that_computes_otherwise_is_refused(model, tmp_path, monkeypatch):
    honest = RuntimeForm.call

    def call(form, inputs):
        outputs, actions = honest(form, inputs)
        return [outputs if form.form == "masked" else outputs + 1, actions]

    monkeypatch.setattr(RuntimeForm, "call", call)
    with pytest.raises(ExportError, match="differs from the model by"):
        export(model, tmp_path / "m.tflite", batch=pictures(4))
    assert not [*tmp_path.iterdir()]


def test_a_conversion_that_needs_select_tf_operations_is_refused(tmp_path):
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(6, 3, activation="relu")(inputs)
    x = keras.layers.Conv2D(6, 3)(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.ops.erfinv(keras.ops.tanh(x)))
    backbone = randomized(keras.Model(inputs, keras.layers.Dense(3)(x)), np.random.default_rng(0))
    with pytest.raises(ExportError, match="TFLite has no operation for Erfinv") as refused:
        export(runtime_pruned(backbone), tmp_path / "m.tflite")
    assert "\n" not in str(refused.value) and not [*tmp_path.iterdir()]


def test_the_file_holds_conditionals_and_only_operations_of_tflite(files):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(files["tflite"][0]))
    kinds = {op["op_name"] for op in interpreter._get_ops_details()}
    assert "IF" in kinds
    assert not [kind for kind in kinds if kind.startswith("Flex")]


def test_a_form_is_made_from_its_config(model):
    form = RuntimeForm(model, "branched")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(form))
    again.set_weights(form.get_weights())
    for ours, theirs in zip(again(pictures(1)), form(pictures(1)), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.slow
def test_mixed_precision_is_written_in_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = runtime_pruned(chain(1))
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(model, RuntimePrunedModel)
    assert export(model, tmp_path / "m.tflite", batch=pictures(4)).decided == 100
    assert TFLite.float32


@pytest.mark.slow
@pytest.mark.parametrize("name", ["m.keras", "m.kpz"])
def test_a_process_that_imported_nothing_else_loads_it(tmp_path, name):
    export(runtime_pruned(), tmp_path / name)
    code = f"from keras_prune.runtimes.loading import load_model; load_model({name!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
