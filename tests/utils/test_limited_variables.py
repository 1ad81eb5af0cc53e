"""Threads that load models at the same time do not count each other's variables."""

from concurrent.futures import ThreadPoolExecutor

import keras
import pytest

from keras_prune.errors import ModelError
from keras_prune.runtimes.loading import load_model
from keras_prune.utils import limited_variables as limited


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(limited, "_LITTLE", 0)
    keras.Sequential([keras.Input((40,)), keras.layers.Dense(50)]).save(tmp_path / "m.keras")
    return tmp_path / "m.keras"


def test_several_threads_load_at_once(file):
    create = keras.Variable.__init__
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(load_model, [file] * 12))
    assert len(models) == 12
    assert keras.Variable.__init__ is create


def test_a_limit_holds_in_its_own_block_alone(file):
    with (
        pytest.raises(ModelError, match="describes a model of more than"),
        limited.limited_variables(file, 0),
    ):
        keras.layers.Dense(50_000).build((None, 400))
    keras.layers.Dense(500).build((None, 40))
