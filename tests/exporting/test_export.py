"""Every format computes what the model does, and nothing wrong is left behind."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_prune.errors import ExportError
from keras_prune.exporting import export, model_export
from keras_prune.exporting.formats.saved_model import endpoint
from keras_prune.exporting.formats.tflite import TFLite
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.runtimes import open_runtime
from keras_prune.surgery import prune
from tests.exporting.small import pixels, small

FILES = ["m.tflite", "saved_model", "m.onnx", "m.keras"]


@pytest.mark.parametrize("name", FILES)
def test_every_format_agrees_with_the_model(tmp_path, name):
    exported = export(small(), tmp_path / name)
    assert exported.format == {"m": name[2:], "saved_model": "saved_model"}[name.split(".")[0]]
    assert exported.path == str(tmp_path / name)
    assert exported.max_abs_error < 1e-4
    assert exported.top1_agreement == 100
    assert exported.bytes > 4 * (3 * 3 * 3 * 6 + 16 * 16 * 6 * 10)
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", FILES)
def test_a_pruned_model_is_exported(tmp_path, name):
    graph = ChannelGraph(small())
    [group] = graph.groups
    pruned = prune(graph.model, PruningPlan.for_graph(graph, {group: (0, 3, 4)}))
    exported = export(pruned, tmp_path / name, batch=pixels(5))
    expected = pruned(pixels(5), training=False)
    np.testing.assert_allclose(open_runtime(exported.path)([pixels(5)])[0], expected, atol=1e-4)


@pytest.mark.parametrize("name", FILES)
def test_a_model_with_two_inputs_and_two_outputs(tmp_path, name):
    zeta, alpha = keras.Input((4,), name="zeta"), keras.Input((8,), name="alpha")
    outputs = [keras.layers.Dense(3)(zeta), keras.layers.Dense(5)(alpha)]
    assert export(keras.Model([zeta, alpha], outputs), tmp_path / name).max_abs_error < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_bfloat16_model_is_exported(tmp_path, name):
    model = small("mixed_bfloat16")
    export(model, tmp_path / name)
    assert model.layers[2].compute_dtype == "bfloat16"


def test_the_given_batch_is_the_one_that_is_run_and_judged(tmp_path):
    images, model = pixels(70), small()
    right = np.argmax(model(images), axis=-1)
    truth = np.where(np.arange(70) < 7, (right + 1) % 10, right)
    exported = export(model, tmp_path / "m.tflite", batch=images, truth=truth)
    assert (exported.accuracy, exported.model_accuracy) == (pytest.approx(90), pytest.approx(90))


def test_a_wrong_export_is_refused_and_removed(tmp_path, monkeypatch):
    write = TFLite.write

    def write_another(self, model, path, settings):
        model.layers[-1].bias.assign_add(np.ones(10))
        write(self, model, path, settings)
        model.layers[-1].bias.assign_sub(np.ones(10))

    monkeypatch.setattr(TFLite, "write", write_another)
    with pytest.raises(ExportError, match=r"tflite export differs from the model by 1[;.]"):
        export(small(), tmp_path / "m.tflite")
    assert not list(tmp_path.iterdir())


def test_a_nan_in_the_output_is_refused(tmp_path):
    model = small()
    model.layers[-1].bias.assign(np.full(10, np.nan))
    with pytest.raises(ExportError, match="returns NaN"):
        export(model, tmp_path / "m.tflite")
    assert not list(tmp_path.iterdir())


def test_a_failing_conversion_is_one_line(tmp_path, monkeypatch):
    def fail(self, model, path, settings):
        path.write_bytes(b"half")
        raise RuntimeError("op Foo is not supported\nand a long trace")

    monkeypatch.setattr(TFLite, "write", fail)
    with pytest.raises(ExportError, match=r"cannot be written as tflite: op Foo is not supported$"):
        export(small(), tmp_path / "m.tflite")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def fill(self, model, path, settings):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TFLite, "write", fill)
    (tmp_path / "m.tflite").write_text("old")
    with pytest.raises(ExportError, match=r"Cannot write .*m.tflite: No space left on device"):
        export(small(), tmp_path / "m.tflite", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["m.tflite"]
    assert (tmp_path / "m.tflite").read_text() == "old"


def test_what_exists_is_replaced_by_force_only(tmp_path):
    path = tmp_path / "m.keras"
    path.write_text("old")
    with pytest.raises(ExportError, match="exists"):
        export(small(), path)
    assert path.read_text() == "old"
    export(small(), path, force=True)
    assert keras.models.load_model(path).count_params() > 0


def test_a_saved_model_is_replaced_by_force_only(tmp_path):
    path = tmp_path / "saved"
    export(small(), path)
    (path / "variables" / "stale.txt").write_text("of the old one")
    with pytest.raises(ExportError, match="exists"):
        export(small(), path)
    export(small(), path, force=True)
    assert not (path / "variables" / "stale.txt").exists()
    (path / "thesis.txt").write_text("keep")
    with pytest.raises(ExportError, match=r"other files that would be lost: thesis\.txt"):
        export(small(), path, force=True)
    assert (path / "thesis.txt").read_text() == "keep"


def test_a_directory_with_other_things_is_never_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("keep")
    with pytest.raises(ExportError, match="not empty"):
        export(small(), tmp_path / "mine", force=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "keep"


def test_missing_directory(tmp_path):
    with pytest.raises(ExportError, match="Cannot write .*No such file or directory"):
        export(small(), tmp_path / "absent" / "m.tflite")


@pytest.mark.parametrize("name", ["m.keras", "m.onnx", "m.tflite", "saved_model"])
def test_open_input_shape_asks_for_a_batch(tmp_path, name):
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(inputs))
    model = keras.Model(inputs, outputs)
    with pytest.raises(ExportError, match="open shape .*give `batch`"):
        export(model, tmp_path / name)
    batch = np.ones((2, 9, 9, 3), "float32")
    assert export(model, tmp_path / name, batch=batch).max_abs_error < 1e-6


@pytest.mark.parametrize("batch", [np.ones((2, 9, 9, 3)), np.ones((0, 16, 16, 3)), [1, 2], 3])
def test_a_batch_of_another_shape(tmp_path, batch):
    with pytest.raises(ExportError, match=r"Expected `batch` of shape \(n, 16, 16, 3\)\. Received"):
        export(small(), tmp_path / "m.keras", batch=batch)


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_printed(tmp_path, capfd, name):
    export(small(), tmp_path / name)
    assert capfd.readouterr() == ("", "")


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


def test_the_endpoint_is_traced_once():
    function = endpoint(small())
    function(tf.zeros((1, 16, 16, 3)))
    function(tf.zeros((2, 16, 16, 3)))
    assert function.experimental_get_tracing_count() == 1


def test_every_quantization_has_a_tolerance():
    assert set(model_export.TOLERANCES) == {None, *model_export.QUANTIZATIONS}
