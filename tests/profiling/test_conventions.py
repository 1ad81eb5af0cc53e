"""Published figures, layer by layer."""

import keras
import numpy as np
import pytest

from keras_prune import zoo
from keras_prune.errors import ConfigError
from keras_prune.profiling import available, profile
from tests.networks.barriers import untraceable

layers = keras.layers


def with_ones(model):
    """A model without the rare weight that is drawn as zero: the convention leaves it out."""
    for weight in model.weights:
        weight.assign(np.ones(weight.shape, weight.dtype))
    return model


def thousands(rows):
    """FLOPs as the magnitude-pruning tables print them; what costs nothing is not in them."""
    return {row.name: f"{row.flops / 1000:.2f}" for row in rows if row.flops}


def test_lenet5():
    found = profile(with_ones(zoo.lenet5()), "lenet")
    assert thousands(found.layers) == {
        "conv1": "239.90",
        "relu": "0.08",
        "pool1": "4.70",
        "conv2": "481.60",
        "pool2": "1.60",
        "fc1": "96.12",
        "fc2": "20.24",
        "fc3": "1.69",
    }
    assert f"{found.total.flops / 1000:.2f}" == "845.95"
    assert found.total.parameters == 61_706


def test_lenet300_100():
    found = profile(with_ones(zoo.lenet300_100()), "lenet")
    assert thousands(found.layers) == {
        "fc1": "470.70",
        "relu": "0.10",
        "fc2": "60.10",
        "fc3": "2.01",
    }
    assert f"{found.total.flops / 1000:.2f}" == "532.91"
    assert found.total.parameters == 266_610


def test_lenet_leaves_out_weights_that_are_zero():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(4, 3, name="conv", bias_initializer="ones"),
            layers.Flatten(),
            layers.Dense(5, name="dense"),
        ]
    )
    conv, dense = model.get_layer("conv"), model.get_layer("dense")
    kernel = np.ones(conv.kernel.shape, "float32")
    kernel[0, :, :, 1:] = 0  # 18 of the 72 weights
    conv.kernel.assign(kernel)
    dense.kernel.assign(np.eye(64, 5))
    rows = {row.name: row for row in profile(model, "lenet").layers}
    assert (rows["conv"].macs, rows["conv"].flops) == (54 * 16, 2 * 54 * 16 + 4 * 16)
    assert (rows["dense"].macs, rows["dense"].flops) == (5, 10 + 5)
    assert type(rows["dense"].macs) is int
    assert profile(model).total.macs == 72 * 16 + 64 * 5


def test_lenet_knows_a_relu_however_it_is_called():
    inputs = keras.Input((4, 4, 3))
    outputs = keras.ops.relu(layers.Activation("relu")(layers.ReLU()(inputs)))
    outputs = layers.Activation("tanh")(outputs)
    flops = [row.flops for row in profile(keras.Model(inputs, outputs), "lenet").layers]
    assert flops == [48, 48, 48, 0]


def test_rnp():
    inputs = x = keras.Input((28, 28, 1))
    for number, filters in enumerate((64, 128, 64, 32), start=1):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{number}")(x)
    outputs = layers.Dense(10)(layers.Flatten()(layers.MaxPooling2D()(x)))
    model = keras.Model(inputs, outputs)
    found = profile(model, "rnp")
    assert {row.name: row.macs for row in found.layers if row.macs} == {
        "conv1": 451_584,
        "conv2": 57_802_752,
        "conv3": 57_802_752,
        "conv4": 14_450_688,
    }
    assert found.total.macs == 130_507_776
    assert found.total.flops == 2 * found.total.macs
    assert profile(model).total.macs == found.total.macs + 14 * 14 * 32 * 10


def test_vgg16():
    model = zoo.vgg16()
    found, frame = profile(model), profile(model).to_frame()
    assert frame.loc[frame["kind"] == "Conv2D", "macs"].sum() == 313_196_544
    assert found.total.macs == 313_196_544 + 512 * 512 + 512 * 10
    assert found.total.flops == 2 * found.total.macs + 512 + 10  # convolutions have no bias
    assert found.total.parameters == 14_995_146
    assert not found.uncounted


def test_unknown_convention():
    with pytest.raises(ConfigError, match="convention 'lenet5'. Did you mean 'lenet'"):
        profile(zoo.lenet300_100(), "lenet5")


@pytest.mark.parametrize("name", available())
def test_every_convention_admits_what_it_cannot_count(name):
    inputs = keras.Input((4, 3))
    outputs = layers.Conv1D(2, 3, name="conv")(layers.Lambda(untraceable, name="own")(inputs))
    found = profile(keras.Model(inputs, outputs), name)
    assert [row.macs is None for row in found.layers] == [True, False]
    assert found.uncounted == {"own": "no rule for the layer Lambda"}
