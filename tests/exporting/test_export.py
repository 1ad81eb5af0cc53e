"""Every format computes what the model does, and nothing wrong is left behind."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_prune.errors import ExportError
from keras_prune.exporting import export, model_export
from keras_prune.exporting.formats import TFLite


def small(dtype: str | None = None) -> keras.Model:
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(6, 3, padding="same", dtype=dtype),
            keras.layers.BatchNormalization(dtype=dtype),
            keras.layers.ReLU(dtype=dtype),
            keras.layers.Flatten(),
            keras.layers.Dense(10, name="logits", dtype="float32"),
        ]
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [("m.tflite", "tflite"), ("m.keras", "keras"), ("saved_model", "saved_model")],
)
def test_every_format_agrees_with_the_model(tmp_path, name, kind):
    exported = export(small(), tmp_path / name)
    assert exported.format == kind
    assert exported.path == str(tmp_path / name)
    assert exported.max_abs_error < 1e-4
    assert exported.bytes > 4 * (3 * 3 * 3 * 6 + 16 * 16 * 6 * 10)
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["m.tflite", "saved_model", "m.keras"])
def test_a_model_with_two_inputs_and_two_outputs(tmp_path, name):
    zeta, alpha = keras.Input((4,), name="zeta"), keras.Input((8,), name="alpha")
    outputs = [keras.layers.Dense(3)(zeta), keras.layers.Dense(5)(alpha)]
    assert export(keras.Model([zeta, alpha], outputs), tmp_path / name).max_abs_error < 1e-3


@pytest.mark.parametrize("name", ["m.tflite", "saved_model", "m.keras"])
def test_a_bfloat16_model_is_exported(tmp_path, name):
    model = small("mixed_bfloat16")
    export(model, tmp_path / name)
    assert model.layers[1].compute_dtype == "bfloat16"


@pytest.mark.parametrize("count", [1, 7])
def test_the_given_batch_is_the_one_that_is_run(tmp_path, count, monkeypatch):
    seen = []
    run = TFLite.run

    def spy(self, path, model, batch):
        seen.extend(batch)
        return run(self, path, model, batch)

    monkeypatch.setattr(TFLite, "run", spy)
    batch = np.full((count, 16, 16, 3), 9, "float32")
    export(small(), tmp_path / "m.tflite", batch=batch)
    np.testing.assert_array_equal(seen[0], batch)


def test_a_wrong_export_is_refused_and_removed(tmp_path, monkeypatch):
    write = TFLite.write

    def write_another(self, model, path):
        model.layers[-1].bias.assign_add(np.ones(10))
        write(self, model, path)
        model.layers[-1].bias.assign_sub(np.ones(10))

    monkeypatch.setattr(TFLite, "write", write_another)
    with pytest.raises(ExportError, match=r"tflite export differs from the model by 1[;.]"):
        export(small(), tmp_path / "m.tflite")
    assert not list(tmp_path.iterdir())


def test_a_nan_in_the_output_is_refused(tmp_path):
    model = small()
    model.layers[-1].bias.assign(np.full(10, np.nan))
    with pytest.raises(ExportError, match="differs from the model by nan"):
        export(model, tmp_path / "m.tflite")


def test_a_failing_conversion_is_one_line(tmp_path, monkeypatch):
    def fail(self, model, path):
        path.write_bytes(b"half")
        raise RuntimeError("op Foo is not supported\nand a long trace")

    monkeypatch.setattr(TFLite, "write", fail)
    with pytest.raises(ExportError, match=r"cannot be written as tflite: op Foo is not supported$"):
        export(small(), tmp_path / "m.tflite")
    assert not list(tmp_path.iterdir())


def test_existing_files_are_replaced_and_used_directories_refused(tmp_path):
    (tmp_path / "m.keras").write_text("old")
    export(small(), tmp_path / "m.keras")
    assert keras.models.load_model(tmp_path / "m.keras").count_params() > 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("keep")
    with pytest.raises(ExportError, match="not empty"):
        export(small(), tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "keep"


def test_unknown_suffix(tmp_path):
    with pytest.raises(ExportError, match=r"Unknown format '.onx'.*\.tflite"):
        export(small(), tmp_path / "m.onx")


def test_missing_directory(tmp_path):
    with pytest.raises(ExportError, match="Cannot write .*No such file or directory"):
        export(small(), tmp_path / "absent" / "m.tflite")


def test_open_input_shape_asks_for_a_batch(tmp_path):
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(inputs))
    model = keras.Model(inputs, outputs)
    with pytest.raises(ExportError, match="give `batch`"):
        export(model, tmp_path / "m.keras")
    batch = np.ones((2, 9, 9, 3), "float32")
    assert export(model, tmp_path / "m.keras", batch=batch).max_abs_error < 1e-6


@pytest.mark.parametrize("name", ["m.tflite", "saved_model", "m.keras"])
def test_nothing_is_printed(tmp_path, capfd, name):
    export(small(), tmp_path / name)
    assert capfd.readouterr() == ("", "")


def test_the_tolerance_follows_the_outputs_scale():
    expected = [np.array([[1000.0, 0.0]])]
    kind = TFLite()
    assert model_export._check(kind, [expected[0] + 0.5], expected) == 0.5
    with pytest.raises(ExportError):
        model_export._check(kind, [expected[0] + 1.5], expected)


def test_a_saved_model_holds_every_weight_once(tmp_path):
    inputs = keras.Input((100,))
    model = keras.Model(inputs, keras.layers.Dense(1000)(keras.layers.Dense(1000)(inputs)))
    written = export(model, tmp_path / "saved_model").bytes
    assert written < 1.1 * sum(weight.nbytes for weight in model.get_weights())


def test_a_saved_model_serves_by_its_default_signature(tmp_path):
    model = small()
    export(model, tmp_path / "saved_model")
    loaded = tf.saved_model.load(str(tmp_path / "saved_model"))
    served = loaded.signatures["serving_default"]
    images = np.ones((3, *model.input_shape[1:]), "float32")
    [name] = served.structured_input_signature[1]
    [output] = served(**{name: tf.constant(images)}).values()
    np.testing.assert_allclose(output, model(images, training=False), rtol=1e-5)
