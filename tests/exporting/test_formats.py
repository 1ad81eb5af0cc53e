"""Formats by path and name, what each can hold, and what it cannot."""

import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as kl

from keras_prune.errors import ExportError
from keras_prune.exporting import export
from keras_prune.exporting.formats import format_of
from keras_prune.runtimes import open_runtime
from tests.exporting.small import pixels, small

KINDS = [
    ("m.tflite", "tflite"),
    ("m.onnx", "onnx"),
    ("m.keras", "keras"),
    ("m.kpz", "packed"),
    ("m", "saved_model"),
]


@pytest.mark.parametrize(("path", "name"), KINDS)
def test_a_format_is_found_by_path_and_by_name(path, name):
    assert format_of(Path(path)).name == format_of(Path(path), name).name == name


@pytest.mark.parametrize(
    ("path", "name", "words"),
    [
        ("m.h5", None, r"Unknown format '.h5'.*\.tflite"),
        ("m.tflite", "tfl", "Unknown format 'tfl'. Did you mean 'tflite'"),
        ("m.keras", "tflite", "must end in .tflite. Received: m.keras"),
        ("m.pb", "saved_model", "it is a directory. Received: m.pb"),
    ],
)
def test_unknown_and_contradicting_formats(path, name, words):
    with pytest.raises(ExportError, match=words):
        format_of(Path(path), name)


@pytest.mark.parametrize("path", ["m.tflite", "m.onnx", "saved"])
def test_metadata_travels_in_the_file(tmp_path, path):
    labels = [*"abcdefghi", "ä j"]
    export(small(), tmp_path / path, labels=labels, input_range=(0, 255))
    found = open_runtime(tmp_path / path).metadata
    macs = 16 * 16 * 27 * 6 + 16 * 16 * 6 * 10
    expected = {"labels": "\n".join(labels), "input_range": "0 255", "macs": str(macs)}
    assert dict(found) == expected


def test_a_tflite_files_labels_lie_where_tflites_tools_look(tmp_path):
    export(small(), tmp_path / "m.tflite", labels=[*"abcdefghij"])
    with zipfile.ZipFile(tmp_path / "m.tflite") as archive:
        assert archive.read("labels.txt").decode().split() == [*"abcdefghij"]


@pytest.mark.parametrize("path", ["m.tflite", "saved"])
def test_a_signature_of_ones_own(tmp_path, path):
    export(small(), tmp_path / path, signature="classify")
    if path == "saved":
        assert list(tf.saved_model.load(str(tmp_path / path)).signatures) == ["classify"]
    assert open_runtime(tmp_path / path)([pixels(2)])[0].shape == (2, 10)


@pytest.mark.parametrize(
    ("path", "arguments", "words"),
    [
        ("m.keras", {"labels": [*"abcdefghij"]}, "no place for labels"),
        ("m.keras", {"quantize": "float16"}, "keras export has no place for quantize='float16'"),
        ("m.onnx", {"quantize": "dynamic"}, "no place for quantize"),
        ("saved", {"quantize": "dynamic"}, "no place for quantize"),
        ("m.onnx", {"signature": "classify"}, "no place for signature='classify'"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(tmp_path, path, arguments, words):
    with pytest.raises(ExportError, match=words):
        export(small(), tmp_path / path, **arguments)
    assert not list(tmp_path.iterdir())


class Foreign(keras.layers.Layer):
    """Uses an operation that neither TFLite nor ONNX has."""

    def call(self, x):
        return tf.math.igamma(x, x)


@pytest.mark.parametrize("path", ["m.tflite", "m.onnx"])
def test_an_operation_the_format_lacks_is_named_with_its_layer(tmp_path, path):
    inputs = keras.Input((8, 8, 3))
    x = Foreign(name="strange")(kl.Conv2D(2, 3, activation="relu")(inputs))
    model = keras.Model(inputs, kl.Dense(3)(kl.Flatten()(x)))
    with pytest.raises(ExportError, match=r"has no operation for Igamma \(at .*strange.*Igamma\)"):
        export(model, tmp_path / path)
    assert not list(tmp_path.iterdir())


def test_a_recurrent_layer_wants_a_fixed_batch_size_in_tflite(tmp_path):
    model = keras.Sequential([keras.Input((4, 3)), kl.LSTM(2, name="lstm")])
    with pytest.raises(ExportError, match=r"the loop of .*lstm\S* with .* \(--batch-size 1\)"):
        export(model, tmp_path / "m.tflite")
    assert not list(tmp_path.iterdir())
    assert export(model, tmp_path / "m.tflite", batch_size=1).max_abs_error < 1e-5


@pytest.mark.parametrize("path", ["m.tflite", "m.onnx", "m.keras", "saved"])
def test_a_fixed_batch_size(tmp_path, path):
    export(small(), tmp_path / path, batch_size=2)
    runtime = open_runtime(tmp_path / path)
    assert runtime.inputs[0].shape == (2, 16, 16, 3)
    np.testing.assert_allclose(runtime([pixels(2)])[0], small()(pixels(2)), atol=1e-4)


@pytest.mark.parametrize("path", ["m.tflite", "m.onnx", "m.keras", "saved"])
def test_preprocessing_goes_into_the_file(tmp_path, path):
    shrink = keras.Sequential(
        [keras.Input((32, 32, 3), dtype="uint8"), kl.Rescaling(1.0), kl.AveragePooling2D(2)]
    )
    export(small(), tmp_path / path, preprocessing=shrink)
    runtime = open_runtime(tmp_path / path)
    assert (runtime.inputs[0].shape, runtime.inputs[0].dtype) == ((None, 32, 32, 3), "uint8")
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype="uint8")
    np.testing.assert_allclose(runtime([images])[0], small()(shrink(images)), atol=1e-4)


@pytest.mark.parametrize(
    ("preprocessing", "words"),
    [
        (lambda x: x, "Keras layer or a built Keras model. Received: function"),
        (kl.AveragePooling2D(2), "The model does not take what `preprocessing` returns"),
    ],
)
def test_preprocessing_that_does_not_fit(tmp_path, preprocessing, words):
    with pytest.raises(ExportError, match=words):
        export(small(), tmp_path / "m.keras", preprocessing=preprocessing)


def test_labels_of_another_number_of_classes_are_refused(tmp_path):
    with pytest.raises(ExportError, match="expected a name for each of 10 classes. Received: 3"):
        export(small(), tmp_path / "m.keras", labels=[*"abc"])
    assert not list(tmp_path.iterdir())
