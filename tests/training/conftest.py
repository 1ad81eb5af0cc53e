"""A small network on the embedded data."""

import keras
import pytest

from keras_prune import data


@pytest.fixture(scope="session")
def splits():
    return data.load("digits", input_shape=(8, 8, 1), batch_size=64, augment=False)


def small_network(last=None):
    """Conv, BatchNorm, nested dense part; 8x8 grey images to ten classes."""
    image = keras.Input((8, 8, 1))
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(8, 3, padding="same", name="conv")(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(name="bn")(x))
    head = keras.Sequential(
        [keras.layers.Flatten(), keras.layers.Dense(10, activation=last, name="logits")],
        name="head",
    )
    return keras.Model(image, head(x))


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    return small_network()


@pytest.fixture
def build():
    return small_network
