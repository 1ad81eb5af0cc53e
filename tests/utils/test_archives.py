"""An archive that would unpack to more than anybody expects is refused, and nothing is unpacked."""

import json
import zipfile

import keras
import pytest

from keras_prune.errors import ConfigError, ModelError
from keras_prune.packing import pack, unpack
from keras_prune.runtimes.loading import load_model

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
