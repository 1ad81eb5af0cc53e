"""LeNet-5 and LeNet-300-100."""

import keras
import numpy as np
import pytest

from keras_prune import zoo
from keras_prune.errors import ModelError


@pytest.mark.parametrize(
    ("build", "parameters", "calls"), [(zoo.lenet5, 61_706, 4), (zoo.lenet300_100, 266_610, 2)]
)
def test_has_the_published_size_and_one_shared_relu(build, parameters, calls):
    model = build()
    assert model.count_params() == parameters
    assert [layer.name for layer in model.layers if isinstance(layer, keras.layers.ReLU)] == [
        "relu"
    ]
    assert len(model.get_layer("relu")._inbound_nodes) == calls


def test_caffes_lenet5_has_the_published_size_and_one_relu():
    model = zoo.lenet5_caffe()
    assert model.count_params() == 431_080
    assert model.get_layer("flatten").output.shape == (None, 800)
    assert sum(isinstance(layer, keras.layers.ReLU) for layer in model.layers) == 1
    with pytest.raises(ModelError, match="at least 16x16"):
        zoo.lenet5_caffe((15, 16, 1))


def test_lenet5_pads_28_pixels_to_32():
    model = zoo.lenet5()
    assert model.get_layer("padding").output.shape == (None, 32, 32, 1)
    assert model.get_layer("flatten").output.shape == (None, 400)


@pytest.mark.parametrize("build", [zoo.lenet5, zoo.lenet300_100])
def test_other_sizes_and_classes_work(build):
    assert build((12, 20, 3), 4)(np.zeros((2, 12, 20, 3), "float32")).shape == (2, 4)


def test_lenet5_refuses_what_it_cannot_pool():
    with pytest.raises(ModelError, match="at least 12x12"):
        zoo.lenet5((11, 12, 1))
