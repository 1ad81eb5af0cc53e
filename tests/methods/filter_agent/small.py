"""A small network with a join, a nested model and a dense head."""

import keras
import numpy as np

layers = keras.layers


def residual_network(seed: int) -> keras.Model:
    """8x8x3 images to 4 classes; BatchNorm statistics and biases are not trivial."""
    inner = keras.Input((8, 8, 6))
    nested = keras.Model(inner, layers.Conv2D(6, 3, padding="same", name="nested_conv")(inner))
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(6, 3, padding="same", name="stem")(inputs)
    x = layers.ReLU()(layers.BatchNormalization(name="first_norm")(x))
    y = layers.Conv2D(5, 3, padding="same", activation="relu", name="inner")(x)
    y = layers.Conv2D(6, 1, name="branch")(y)
    x = nested(layers.BatchNormalization(name="second_norm")(layers.Add()([x, y])))
    x = layers.Flatten()(layers.MaxPooling2D()(x))
    x = layers.Dense(7, activation="relu", name="hidden")(x)
    model = keras.Model(inputs, layers.Dense(4, name="logits")(x))
    random = np.random.default_rng(seed)
    for weight in model.weights:
        values = random.normal(scale=0.4, size=weight.shape)
        weight.assign(abs(values) + 0.5 if "variance" in weight.name else values)
    return model
