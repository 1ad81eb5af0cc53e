"""A file that would unpack to more than anybody expects is refused, and nothing is unpacked."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from keras_prune.errors import ConfigError, ModelError
from keras_prune.packing import pack, unpack
from keras_prune.reporting.memory import peak_memory_mb
from keras_prune.runtimes.loading import load_model
from keras_prune.utils.archives import read_arrays

layers = keras.layers

VARIABLE = "KERAS_PRUNE_MAX_UNPACKED_BYTES"


def network():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])


def changed(path, **members):
    """A file with other or further members."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, data in (content | members).items():
            archive.writestr(name, data)


@pytest.fixture
def models(tmp_path):
    network().save(tmp_path / "model.keras")
    pack(network(), tmp_path / "model.kpz")
    return tmp_path


@pytest.mark.parametrize("name", ["model.keras", "model.kpz"])
def test_a_bomb_is_refused_in_one_line(name, models, monkeypatch):
    changed(models / name, **{"more.bin": bytes(10**7)})
    load_model(models / name)  # which is not much
    monkeypatch.setenv(VARIABLE, "1000000")
    with pytest.raises(ModelError, match=rf"{name} would unpack to 10,0.* let {VARIABLE} be more"):
        load_model(models / name)


def test_what_is_large_itself_is_no_bomb(models, monkeypatch):
    monkeypatch.setenv(VARIABLE, "10")
    load_model(models / "model.keras")


def test_a_limit_that_is_none(models, monkeypatch):
    monkeypatch.setenv(VARIABLE, "4 GiB")
    with pytest.raises(ConfigError, match=rf"Expected {VARIABLE} to be a number"):
        load_model(models / "model.keras")


@pytest.mark.parametrize(
    ("shape", "message"),
    [([10**7, 10**6], "would unpack to 40,000,000,000,012 bytes"), ([4, 4], "not those of its")],
)
def test_a_packed_model_of_other_weights(shape, message, models):
    with zipfile.ZipFile(models / "model.kpz") as archive:
        index = json.loads(archive.read("weights.json"))
    index["weights"][0]["shape"] = shape
    changed(models / "model.kpz", **{"weights.json": json.dumps(index)})
    with pytest.raises(ModelError, match=message):
        unpack(models / "model.kpz")


def described(model, path, lengths):
    """A file whose description of the layers has other lengths than its model."""
    if path.suffix == ".kpz":
        pack(model, path)
    else:
        model.save(path)

    def lie(text):
        for name, length in lengths.items():
            text = text.replace(f'"{name}": 7', f'"{name}": {length}')
        return text

    if path.suffix == ".h5":
        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = lie(file.attrs["model_config"])
    else:
        name = "config.json" if path.suffix == ".keras" else "model.json"
        with zipfile.ZipFile(path) as archive:
            text = archive.read(name).decode()
        changed(path, **{name: lie(text)})
    return path


LIES = {
    "Dense": (lambda: layers.Dense(7), (4,), {"units": 10**9}),
    "a number of 4,000 digits": (lambda: layers.Dense(7), (4,), {"units": "9" * 4000}),
    "Embedding": (
        lambda: layers.Embedding(7, 7),
        (4,),
        {"input_dim": 10**6, "output_dim": 10**6},
    ),
    "Conv2D": (lambda: layers.Conv2D(7, 3), (8, 8, 3), {"filters": 10**7}),
    "LSTM inside another": (
        lambda: layers.Bidirectional(layers.LSTM(7)),
        (8, 3),
        {"units": 10**6},
    ),
}


@pytest.mark.parametrize("suffix", [".keras", ".kpz", ".h5"])
@pytest.mark.parametrize("name", LIES)
def test_a_model_of_far_more_than_the_file_holds_takes_no_memory(name, suffix, tmp_path):
    layer, shape, lengths = LIES[name]
    model = keras.Sequential([keras.Input(shape), layer()])
    path = described(model, tmp_path / f"model{suffix}", lengths)
    before, create = peak_memory_mb(), keras.Variable.__init__
    with pytest.raises(ModelError, match="describes a model of more than 67,108,864") as refused:
        load_model(path)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 400
    assert peak_memory_mb() - before < 200
    assert keras.Variable.__init__ is create


def test_the_limit_of_a_model_can_be_raised(tmp_path, monkeypatch):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(7)])
    path = described(model, tmp_path / "model.kpz", {"units": 5 * 10**6})
    with pytest.raises(ModelError, match=rf"let {VARIABLE} be more"):
        load_model(path)
    monkeypatch.setenv(VARIABLE, "200000000")
    with pytest.raises(ModelError, match="its weights are not those of its model"):
        load_model(path)


def empty(shape):
    """An HDF5 file without a number of what it declares."""
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        opened.create_dataset("layers/dense/vars/0", shape, "float32", compression="gzip")
    return file.getvalue()


def test_arrays_that_declare_more_than_they_hold(models):
    model = models / "model.h5"
    network().save(model)
    with h5py.File(model, "a") as file:
        file.create_dataset("more", (10**5, 10**6), "float32", compression="gzip")
    changed(models / "model.keras", **{"model.weights.h5": empty((10**5, 10**6))})
    for path in (model, models / "model.keras"):
        with pytest.raises(ModelError, match=rf"{path.name} would unpack to 400,000,000,"):
            load_model(path)


def header(shape):
    """An array's header with nothing behind it."""
    file = io.BytesIO()
    content = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, content)
    return file.getvalue()


def test_numpy_arrays(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    np.savez(path, np.arange(3), other=np.ones(2))
    assert {name: array.tolist() for name, array in read_arrays(path).items()} == {
        "other": [1, 1],
        "arr_0": [0, 1, 2],
    }
    for shape in ((10**13, 10**3), (10**8,)):
        changed(path, **{"arr_0.npy": header(shape)})
        with pytest.raises(ValueError, match="more than there is memory|EOF"):
            read_arrays(path)
    np.savez(path, np.array([print], dtype=object))
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        read_arrays(path)
    changed(path, **{"arr_0.npy": bytes(10**7)})
    monkeypatch.setenv(VARIABLE, "1000000")
    with pytest.raises(ModelError, match=r"x.npz would unpack to 10,0"):
        read_arrays(path)
