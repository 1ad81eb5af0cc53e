"""Classifiers whose answer can be told from the picture: is it dark or light?"""

from pathlib import Path

import keras
import numpy as np


def dark_or_light(softmax: bool = False, shape: tuple[int, int, int] = (6, 5, 3)) -> keras.Model:
    """Class 1 for a mean value above 127, else class 0; a distance of 10 makes the odds e^2."""
    image = keras.Input(shape, name="image")
    x = keras.layers.GlobalAveragePooling2D(name="mean")(image)
    head = keras.layers.Dense(2, activation="softmax" if softmax else None, name="head")
    model = keras.Model(image, head(x), name="dark_or_light")
    kernel = np.array([[-0.1, 0.1]] * shape[-1], "float32") / shape[-1]
    head.set_weights([kernel, np.array([12.7, -12.7], "float32")])
    return model


def one_sigmoid(activation: str | None = "sigmoid") -> keras.Model:
    """`dark_or_light` with a single score: of class 1."""
    two = dark_or_light()
    x = keras.layers.Dense(1, activation=activation, name="one")(two.get_layer("mean").output)
    model = keras.Model(two.input, x, name="one_sigmoid")
    kernel, bias = two.get_layer("head").get_weights()
    model.get_layer("one").set_weights([kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]])
    return model


def pictures(folder: Path, counts: int = 10) -> Path:
    """Class folders that `dark_or_light` tells apart, but for two pictures of the first class."""
    from tests.data.pictures import picture

    for split in ("train", "validation", "test"):
        for index in range(counts):
            wrong = split == "test" and index < 2
            picture(folder / split / "dark" / f"{index}.png", 200 if wrong else 10 + index)
            picture(folder / split / "light" / f"{index}.png", 230 + index)
    return folder
