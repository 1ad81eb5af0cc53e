"""The zoo's VGG16."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_prune import zoo
from keras_prune.errors import ModelError


def test_has_the_documented_size_and_layer_order():
    model = zoo.vgg16()
    names = [layer.name for layer in model.layers]
    assert model.count_params() == 14_995_146
    assert names[:7] == [
        "image",
        "rescaling",
        "normalization",
        "block1_conv1",
        "block1_bn1",
        "block1_relu1",
        "block1_conv2",
    ]
    assert names[-7:] == [
        "block5_relu3",
        "block5_pool",
        "flatten",
        "fc1",
        "fc1_relu",
        "dropout",
        "logits",
    ]


def test_takes_pixels_and_scales_them_itself():
    model = zoo.vgg16()
    scaled = keras.Model(model.input, model.get_layer("normalization").output)
    pixels = np.full((1, 32, 32, 3), 255.0, "float32")
    expected = (1 - np.array([0.4914, 0.4822, 0.4465])) / np.array([0.2470, 0.2435, 0.2616])
    np.testing.assert_allclose(scaled(pixels)[0, 0, 0], expected, rtol=1e-5)


def test_other_sizes_and_classes_work():
    assert zoo.vgg16((48, 65, 3), 7)(np.zeros((2, 48, 65, 3), "float32")).shape == (2, 7)


@pytest.mark.parametrize("shape", [(31, 32, 3), (32, 31, 3), (32, 32, 1)])
def test_an_impossible_input_is_refused(shape):
    with pytest.raises(ModelError, match="RGB input of at least 32x32"):
        zoo.vgg16(shape)


@pytest.mark.data
def test_fits_the_pretrained_weights_exactly():
    root = os.environ.get("TFDS_DATA_DIR")
    file = Path(root or "").parent / "pretrained" / "vgg16_cifar10.keras"
    if not root or not file.exists():
        pytest.skip("no pretrained VGG16 beside TFDS_DATA_DIR")
    trained = keras.models.load_model(file)
    model = zoo.vgg16()
    model.set_weights(trained.get_weights())
    assert [layer.name for layer in model.layers] == [layer.name for layer in trained.layers]
    for ours, theirs in zip(model.layers, trained.layers, strict=True):
        config = theirs.get_config()
        config.pop("seed", None)
        assert config.items() <= (ours.get_config() | {"seed": None}).items()
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype("float32")
    np.testing.assert_array_equal(model(images), trained(images))
