"""Two models, layer by layer."""

import keras
import numpy as np
import pytest

from keras_prune.benchmarking import LayerBenchmark, LayerTiming, benchmark_layers, layers
from keras_prune.errors import ConfigError


def network(width):
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(width, 3, activation="relu", name="conv")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.BatchNormalization()(x))
    return keras.Model(inputs, keras.layers.Dense(4, name="logits")(x))


def test_layers_whose_work_changed_are_timed(monkeypatch):
    ran = []

    def stand_in(calls, turns):
        ran.append([call()[0].shape for call in calls])
        return [np.full(5, 0.008), np.full(5, 0.004)]

    monkeypatch.setattr(layers, "interleaved", stand_in)
    model = network(8)
    calls_before = len(model.get_layer("conv")._inbound_nodes)
    found = benchmark_layers(model, network(3))
    assert ran == [[(1, 6, 6, 8), (1, 6, 6, 3)], [(1, 4), (1, 4)]]
    conv, logits = found.rows
    assert (conv.name, conv.channels, conv.channels_after) == ("conv", 8, 3)
    assert (conv.ms, conv.ms_after, conv.speedup) == (8, 4, 2)
    assert conv.mac_ratio == pytest.approx(8 / 3) and conv.realised == pytest.approx(6 / 8)
    assert logits.name == "logits" and not logits.odd  # 4 classes are no choice of pruning's
    assert len(model.get_layer("conv")._inbound_nodes) == calls_before
    assert "1 of 2 layers" in found.advice and "--round-to 8" in found.advice


@pytest.mark.parametrize(("channels", "after", "realised", "odd"), [
    (64, 29, 0.5, True), (64, 32, 0.5, False), (64, 29, 0.9, False), (10, 10, 0.5, False),
])  # fmt: skip
def test_only_cut_channels_that_cost_time_are_odd(channels, after, realised, odd):
    row = LayerTiming("a", channels, after, 1, 1, 1, 1, realised)
    assert row.odd == odd
    assert bool(LayerBenchmark(1, (row,)).advice) == odd


def test_models_with_nothing_to_compare():
    model = network(8)
    with pytest.raises(ConfigError, match="no layer of the same name with other MACs"):
        benchmark_layers(model, model)
