"""A user's weights file: it fits the data, or one line says why not."""

import keras
import numpy as np
import pytest

from keras_prune.errors import ModelError
from keras_prune.runtimes.loading import load_classifier


def save(path, shape=(8, 8, 3), classes=4):
    inputs = keras.Input(shape)
    flat = keras.layers.Flatten()(keras.layers.GlobalAveragePooling2D()(inputs))
    keras.Model(inputs, keras.layers.Dense(classes)(flat)).save(path)
    return path


def test_a_fitting_file_is_loaded_uncompiled(tmp_path):
    model = load_classifier(save(tmp_path / "model.keras"), (8, 8, 3), 4)
    assert model.output_shape == (None, 4)
    assert not model.compiled


def test_unknown_lengths_fit_any_image(tmp_path):
    path = save(tmp_path / "model.keras", shape=(None, None, 3))
    assert load_classifier(path, (8, 8, 3), 4)


@pytest.mark.parametrize(
    ("shape", "classes", "message"),
    [
        ((8, 8, 1), 4, r"input shape \(8, 8, 3\). Received: \(8, 8, 1\)"),
        ((16, 16, 3), 4, r"input shape \(8, 8, 3\). Received: \(16, 16, 3\)"),
        ((8, 8, 3), 7, "number of classes 4. Received: 7"),
    ],
)
def test_other_images_or_classes_are_refused(tmp_path, shape, classes, message):
    path = save(tmp_path / "model.keras", shape, classes)
    with pytest.raises(ModelError, match=message):
        load_classifier(path, (8, 8, 3), 4)


def test_two_inputs_are_refused(tmp_path):
    inputs = [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))]
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()(inputs))
    keras.Model(inputs, keras.layers.Dense(4)(x)).save(tmp_path / "two.keras")
    with pytest.raises(ModelError, match=r"Received: \(8, 8, 3\) and \(8, 8, 3\)"):
        load_classifier(tmp_path / "two.keras", (8, 8, 3), 4)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        load_classifier(tmp_path / "none.keras", (8, 8, 3), 4)


@pytest.mark.parametrize("keep", [10, 3000])
def test_a_damaged_file_is_refused_in_one_line(tmp_path, keep):
    path = save(tmp_path / "model.keras")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match="not a Keras file") as refused:
        load_classifier(path, (8, 8, 3), 4)
    assert "\n" not in str(refused.value)


def test_another_archive_is_refused_in_one_line(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("readme.txt", "no model")
    with pytest.raises(ModelError, match="Keras cannot load") as refused:
        load_classifier(tmp_path / "other.keras", (8, 8, 3), 4)
    assert "\n" not in str(refused.value)


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    """A classifier with a call of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.pool = keras.layers.GlobalAveragePooling2D()
        self.head = keras.layers.Dense(4)

    def call(self, x):
        return self.head(self.pool(x))


def test_a_subclassed_model_is_checked_by_its_trace(tmp_path):
    model = Subclassed()
    model(np.zeros((1, 8, 8, 3), "float32"))
    model.save(tmp_path / "model.keras")
    assert isinstance(load_classifier(tmp_path / "model.keras", (8, 8, 3), 4), Subclassed)
    with pytest.raises(ModelError, match="expected number of classes 5"):
        load_classifier(tmp_path / "model.keras", (8, 8, 3), 5)
