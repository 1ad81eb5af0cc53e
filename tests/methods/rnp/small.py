"""Small networks that decide, with random weights."""

import keras
import numpy as np

from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp.decisions import find_decisions

layers = keras.layers


def scattered(model: keras.Model) -> keras.Model:
    """The model with weights under which every channel matters and no norm is an identity."""
    random = np.random.default_rng(0)
    for variable in model.weights:
        values = random.normal(0, 0.4, variable.shape)
        variable.assign(np.abs(values) + 0.2 if "variance" in variable.path else values)
    return model


def chain(filters=(4, 6, 8, 7), side=12) -> keras.Model:
    """Convolutions in a row, with norms, a pooling and an activation that is not 0 at 0."""
    image = keras.Input((side, side, 3))
    x = layers.Rescaling(1 / 255)(image)
    for number, count in enumerate(filters):
        x = layers.Conv2D(count, 3, padding="same", name=f"conv{number}")(x)
        if number != 2:
            x = layers.BatchNormalization(name=f"norm{number}")(x)
        x = layers.Activation("sigmoid", name=f"act{number}")(x)
        if number == 1:
            x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Dense(5, name="logits")(layers.Flatten(name="flatten")(x))
    return scattered(keras.Model(image, x, name="chain"))


def residual() -> keras.Model:
    """A block whose inner channels can be decided, and whose outer ones several layers make."""
    image = keras.Input((8, 8, 3))
    stem = layers.Conv2D(6, 3, padding="same", name="stem")(image)
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="inner")(stem)
    x = layers.Conv2D(6, 3, padding="same", name="outer")(x)
    x = layers.ReLU(name="relu")(layers.Add(name="add")([stem, x]))
    x = layers.Conv2D(8, 3, activation="relu", name="last")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return scattered(keras.Model(image, layers.Dense(4, name="logits")(x), name="residual"))


def decided(model=None, sets=3):
    """The decisions of a network."""
    return find_decisions(ChannelGraph(model or chain()), sets)


def images(count=5, side=12):
    return np.random.default_rng(1).uniform(0, 255, (count, side, side, 3)).astype("float32")
