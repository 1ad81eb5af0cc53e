"""A model's time on the TFLite interpreter."""

import gc

import keras
import pytest
from keras import layers as kl

from keras_prune.benchmarking import latency
from keras_prune.benchmarking.latency import tflite_latency
from keras_prune.errors import ConfigError

pytestmark = pytest.mark.tensorflow


def network(width: int) -> keras.Model:
    i = keras.Input((32, 32, 3))
    x = kl.Conv2D(width, 3, activation="relu")(i)
    return keras.Model(i, kl.Conv2D(width, 3)(x))


def test_more_work_takes_longer():
    small, large = network(2), network(48)
    assert 0 < tflite_latency(small, runs=5) < tflite_latency(large, runs=5)
    assert tflite_latency(large, runs=5) < tflite_latency(large, batch=16, runs=5)


def test_a_model_is_converted_once(monkeypatch):
    converted = []
    whole = latency.export
    monkeypatch.setattr(latency, "export", lambda *a: converted.append(a) or whole(*a))
    model = network(2)
    tflite_latency(model, runs=1)
    tflite_latency(model, batch=2, runs=1)
    assert len(converted) == 1


def test_a_measured_model_is_let_go():
    model = network(2)
    tflite_latency(model, runs=1)
    count = len(latency._loaded)
    del model
    gc.collect()
    assert len(latency._loaded) < count


@pytest.mark.parametrize("option", [{"runs": 0}, {"batch": 1.5}, {"runs": True}])
def test_counts_are_checked(option):
    with pytest.raises(ConfigError, match=f"{next(iter(option))}: expected a whole number from 1"):
        tflite_latency(network(2), **option)
