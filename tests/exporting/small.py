"""A network small enough to be exported in every way."""

import keras
import numpy as np


def small(dtype: str | None = None) -> keras.Model:
    keras.utils.set_random_seed(3)
    normalize = keras.layers.Normalization(mean=[0.4, 0.5, 0.6], variance=[0.1, 0.1, 0.2])
    return keras.Sequential(
        [
            keras.Input((16, 16, 3), name="image"),
            keras.layers.Rescaling(1 / 255),
            normalize,  # tf2onnx makes an input of the mean unless it is frozen
            keras.layers.Conv2D(6, 3, padding="same", dtype=dtype),
            keras.layers.BatchNormalization(dtype=dtype),
            keras.layers.ReLU(dtype=dtype),
            keras.layers.Flatten(),
            keras.layers.Dense(10, name="logits", dtype="float32"),
        ]
    )


def pixels(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, (count, 16, 16, 3)).astype("float32")
