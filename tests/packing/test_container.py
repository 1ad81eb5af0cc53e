"""A packed model is the model."""

import keras
import numpy as np
import pytest

from keras_prune.errors import ConfigError, ExportError, ModelError
from keras_prune.packing import pack, unpack

layers = keras.layers


def network(sparsity: float = 0.9) -> keras.Model:
    """Shared and nested layers, norms, dropout and an embedding-like kernel; some zeros."""
    keras.utils.set_random_seed(1)
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(6, name="inside")], name="inner")
    relu = layers.ReLU(name="relu")
    inputs = keras.Input((8, 8, 3), name="image")
    x = relu(layers.BatchNormalization()(layers.Conv2D(6, 3, name="conv")(inputs)))
    x = inner(inner(layers.GlobalAveragePooling2D()(x)))
    x = layers.Dropout(0.5)(relu(layers.Dense(300, name="wide")(x)))
    model = keras.Model(inputs, layers.Dense(40, name="head")(x), name="packed")
    rng = np.random.default_rng(0)
    for weight in model.weights:
        zero = rng.uniform(size=weight.shape) < sparsity * (len(weight.shape) > 1)
        weight.assign(np.where(zero, 0, rng.normal(size=weight.shape)))
    return model


IMAGES = np.random.default_rng(2).normal(size=(4, 8, 8, 3)).astype("float32")


def test_the_exact_model_comes_back(tmp_path):
    model = network()
    packed = pack(model, tmp_path / "m.kpz")
    again = unpack(tmp_path / "m.kpz")
    assert (again.name, packed.max_abs_error) == ("packed", 0)
    assert [w.name for w in again.weights] == [w.name for w in model.weights]
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
    np.testing.assert_array_equal(np.asarray(model(IMAGES)), np.asarray(again(IMAGES)))
    assert again.get_layer("relu") in again.layers


def test_a_sparse_model_is_a_small_file(tmp_path):
    packed = pack(network(), tmp_path / "m.kpz")
    assert packed.bytes == (tmp_path / "m.kpz").stat().st_size
    assert packed.bytes < 0.25 * packed.dense_bytes
    assert pack(network(0.0), tmp_path / "dense.kpz").bytes < 1.1 * packed.dense_bytes


def test_shared_values_are_smaller_still_and_come_back_rounded(tmp_path):
    model = network(0.5)
    exact = pack(model, tmp_path / "exact.kpz")
    packed = pack(model, tmp_path / "m.kpz", values=16)
    assert packed.bytes < 0.5 * exact.bytes
    again = unpack(tmp_path / "m.kpz")
    worst = 0.0
    for old, new in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(old == 0, new == 0)
        worst = max(worst, float(np.abs(old - new).max()))
        assert old.ndim == 1 or len(np.unique(new)) <= 17
    assert packed.max_abs_error == pytest.approx(worst)
    assert 0 < worst < 1


def test_a_compiled_model_comes_back_uncompiled_and_trainable(tmp_path):
    model = network()
    model.compile("adam", "mse")
    pack(model, tmp_path / "m.kpz")
    again = unpack(tmp_path / "m.kpz")
    assert not again.compiled
    again.compile("sgd", "mse")
    again.fit(IMAGES, np.zeros((4, 40)), verbose=0)


@pytest.mark.parametrize("values", [1, 257, 0, True])
def test_impossible_numbers_of_values_are_refused(values, tmp_path):
    with pytest.raises(ConfigError, match=f"from 2 to 256. Received: {values}"):
        pack(network(), tmp_path / "m.kpz", values=values)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(ExportError, match="Cannot write .*absent/m.kpz: No such file"):
        pack(network(), tmp_path / "absent" / "m.kpz")


@pytest.mark.parametrize("content", [None, b"", b"hello", "truncated", "keras"])
def test_other_files_are_refused_in_one_line(content, tmp_path):
    path = tmp_path / "m.kpz"
    pack(network(), path)
    if content is None:
        path.unlink()
    elif content == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    elif content == "keras":
        network().save(tmp_path / "m.keras")
        path = tmp_path / "m.keras"
    else:
        path.write_bytes(content)
    with pytest.raises(ModelError) as error:
        unpack(path)
    assert "\n" not in str(error.value)
    assert path.name in str(error.value)


def test_what_is_no_model_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="a Keras model"):
        pack("m.keras", tmp_path / "m.kpz")
