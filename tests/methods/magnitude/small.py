"""A network small enough for every test."""

import keras
import numpy as np

layers = keras.layers


def network(seed: int = 0, dropout: float = 0.5) -> keras.Model:
    """8x8x1 images to 4 classes; a convolution, two dense layers, dropout behind one."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((8, 8, 1))
    x = layers.ReLU(name="relu")(layers.Conv2D(6, 3, name="conv")(inputs))
    x = layers.Dense(16, activation="relu", name="fc1")(layers.Flatten()(x))
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, layers.Dense(4, name="fc2")(x), name="small")


def images(count: int = 16) -> np.ndarray:
    """Images for it."""
    return np.random.default_rng(3).normal(size=(count, 8, 8, 1)).astype("float32")
