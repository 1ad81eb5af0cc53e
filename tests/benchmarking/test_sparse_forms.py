"""Every form of a model that is full of zeros."""

import keras
import numpy as np
import pytest

from keras_prune.benchmarking import export_sparse, forms_frame
from keras_prune.errors import ExportError
from keras_prune.exporting import export
from keras_prune.packing import unpack
from keras_prune.runtimes import open_runtime

pytestmark = pytest.mark.slow

FILES = {
    "dense.keras", "dense.tflite", "compact.tflite", "sparse.tflite", "dynamic.tflite",
    "packed.kpz", "shared.kpz",
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((12, 12, 1))
    x = keras.layers.Conv2D(8, 3, activation="relu", name="conv")(inputs)
    x = keras.layers.Dense(200, activation="relu", name="fc1")(keras.layers.Flatten()(x))
    model = keras.Model(inputs, keras.layers.Dense(10, name="fc2")(x))
    rng = np.random.default_rng(0)
    for name in ("fc1", "fc2"):
        kernel = model.get_layer(name).kernel
        kernel.assign(np.where(rng.uniform(size=kernel.shape) < 0.95, 0, kernel.numpy()))
    return model


@pytest.fixture(scope="module")
def made(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms") / "out"
    images = np.random.default_rng(1).uniform(0, 1, (40, 12, 12, 1)).astype("float32")
    truth = np.asarray(model(images)).argmax(-1)
    truth[:4] = (truth[:4] + 1) % 10
    forms = export_sparse(model, folder, representative=images, batch=images, truth=truth, turns=2)
    return folder, {form.file: form for form in forms}


def test_every_form_is_a_file_of_that_size(made):
    folder, forms = made
    assert set(forms) == FILES | {"int8.tflite"} == {path.name for path in folder.iterdir()}
    for name, form in forms.items():
        assert form.bytes == (folder / name).stat().st_size
        assert form.times_smaller == pytest.approx(forms["dense.tflite"].bytes / form.bytes)
        assert form.gzip_bytes > 0


def test_sparse_forms_are_smaller(made):
    _, forms = made
    assert forms["sparse.tflite"].times_smaller > 4
    assert forms["packed.kpz"].times_smaller > 8
    assert forms["shared.kpz"].times_smaller > 1.5 * forms["packed.kpz"].times_smaller
    assert forms["compact.tflite"].bytes < forms["dense.tflite"].bytes  # dead neurons left
    assert forms["dense.tflite"].gzip_bytes < 0.3 * forms["dense.tflite"].bytes


def test_exact_forms_answer_as_the_model_does(made):
    _, forms = made
    for name in ("dense.keras", "dense.tflite", "compact.tflite", "sparse.tflite", "packed.kpz"):
        assert (forms[name].top1_agreement, forms[name].accuracy) == (100.0, 90.0), name
    assert forms["int8.tflite"].top1_agreement >= 90


def test_tflite_is_timed_and_the_table_says_what_is_not_faster(made):
    _, forms = made
    for name, form in forms.items():
        assert (form.latency_us is not None) == name.endswith(".tflite")
        assert form.note
    assert "Zeros take the space and the time of any number" in forms["dense.tflite"].note
    assert "Storage only" in forms["packed.kpz"].note
    frame = forms_frame(list(forms.values()))
    assert frame["bytes"].tolist() == [form.bytes for form in forms.values()]


def test_a_form_that_cannot_be_made_says_why(tmp_path):
    inputs = keras.Input((6, 6, 2))
    x = keras.ops.fft2((inputs[..., 0], inputs[..., 1]))[0]
    odd = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(x)))
    forms = {form.file: form for form in export_sparse(odd, tmp_path / "out", turns=0)}
    assert forms["packed.kpz"].bytes and forms["packed.kpz"].times_smaller is None
    assert forms["dense.tflite"].bytes is None
    assert "TFLite has no operation" in forms["dense.tflite"].note
    assert forms_frame(list(forms.values()))["bytes"].isna().sum() == 4


def test_a_folder_in_use_is_refused(model, tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(ExportError, match="is not empty. Give another"):
        export_sparse(model, tmp_path)


def test_packed_is_a_format_like_others(model, tmp_path):
    exported = export(model, tmp_path / "m.kpz")
    assert (exported.format, exported.max_abs_error) == ("packed", 0.0)
    np.testing.assert_array_equal(
        unpack(tmp_path / "m.kpz").get_layer("fc1").kernel.numpy(),
        model.get_layer("fc1").kernel.numpy(),
    )
    assert open_runtime(tmp_path / "m.kpz").kind == "keras"


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("m.keras", {}, "A keras export has no place for sparse=True"),
        ("m.tflite", {"quantize": "dynamic"}, "quantize='dynamic' and sparse=True do not go"),
    ],
)
def test_sparse_tensors_are_for_plain_tflite(model, path, options, message, tmp_path):
    with pytest.raises(ExportError, match=message):
        export(model, tmp_path / path, sparse=True, **options)
    assert not list(tmp_path.iterdir())
