"""Quantized TFLite files: smaller, and still right."""

import keras
import numpy as np
import pytest

from keras_prune.errors import ExportError
from keras_prune.exporting import export
from keras_prune.exporting.formats.tflite import TFLite
from keras_prune.runtimes import open_runtime
from tests.exporting.small import pixels, small

CALIBRATED = ["int8", "int8_io"]


def quantized(folder, quantize, **arguments):
    if quantize in CALIBRATED:
        arguments.setdefault("representative", pixels(64))
    return export(small(), folder / f"{quantize}.tflite", quantize=quantize, **arguments)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quantize", "share", "error"),
    [
        ("float16", 0.5, 1e-3),
        ("dynamic", 0.25, 0.05),
        ("int8", 0.25, 0.05),
        ("int8_io", 0.25, 0.05),
    ],
)
def test_a_quantized_file_is_smaller_and_agrees(tmp_path, quantize, share, error):
    exported = quantized(tmp_path, quantize)
    whole = sum(4 * weight.size for weight in small().get_weights())
    assert exported.bytes < share * whole + 5000
    assert exported.quantize == quantize
    assert 0 < exported.max_abs_error < error
    assert exported.top1_agreement > 95


@pytest.mark.slow
@pytest.mark.parametrize(("quantize", "dtype"), [("int8", "float32"), ("int8_io", "int8")])
def test_int8_goes_in_and_out_on_request(tmp_path, quantize, dtype):
    runtime = open_runtime(quantized(tmp_path, quantize).path)
    assert runtime.inputs[0].dtype == dtype
    np.testing.assert_allclose(runtime([pixels(4)])[0], small()(pixels(4)), atol=0.05)


def test_representative_examples_set_the_range(tmp_path, monkeypatch):
    """Calibrated on dark images only, bright ones saturate."""
    monkeypatch.setattr("keras_prune.exporting.checking.Tolerance.check", lambda *_: None)
    dark = quantized(tmp_path, "int8", representative=pixels(64) / 50, batch=pixels(64))
    assert dark.max_abs_error > 0.1


def test_a_fixed_batch_size_is_calibrated_in_batches(tmp_path):
    exported = quantized(tmp_path, "int8", batch_size=8)
    assert exported.top1_agreement > 95
    with pytest.raises(ExportError, match=r"`representative` of shape \(at least 100, 16, 16, 3\)"):
        export(
            small(), tmp_path / "m.tflite", quantize="int8", representative=pixels(64),
            batch_size=100,
        )  # fmt: skip


def test_a_file_that_chooses_other_classes_is_refused(tmp_path, monkeypatch):
    write = TFLite.write

    def write_another(self, model, path, settings):
        kernel = model.layers[-1].kernel
        right = kernel.numpy()
        kernel.assign(right[:, ::-1])
        write(self, model, path, settings)
        kernel.assign(right)

    monkeypatch.setattr(TFLite, "write", write_another)
    with pytest.raises(ExportError, match=r"chooses the model's class in .* % of the examples"):
        quantized(tmp_path, "int8")
    assert not list(tmp_path.iterdir())


def test_where_there_are_no_classes_the_error_counts(tmp_path):
    inputs = keras.Input((16, 16, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs))
    exported = export(model, tmp_path / "m.tflite", quantize="int8", representative=pixels(16))
    assert exported.top1_agreement is None
    assert 0 < exported.max_abs_error < 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"quantize": "int4"}, "Unknown quantization 'int4'. Did you mean 'int8'"),
        ({"quantize": "int8"}, "needs representative examples"),
        ({"quantize": "dynamic", "representative": pixels(2)}, "takes none"),
        ({"representative": pixels(2)}, "quantize=None takes none"),
        (
            {"quantize": "int8", "representative": pixels(2)[:, :8]},
            r"Expected `representative` of shape \(n, 16, 16, 3\). Received: \(2, 8, 16, 3\)",
        ),
    ],
)
def test_bad_quantization(tmp_path, arguments, words):
    with pytest.raises(ExportError, match=words):
        export(small(), tmp_path / "m.tflite", **arguments)
    assert not list(tmp_path.iterdir())
