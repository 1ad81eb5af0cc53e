"""Conv248: the small network of the Taylor experiment."""

import keras
from keras import layers


def conv248(input_shape: tuple[int, int, int] = (28, 28, 1), num_classes: int = 10) -> keras.Model:
    """Three convolutions of 2, 4 and 8 filters with ReLU, and one dense layer.

    Args:
        input_shape: `(height, width, channels)`; default `(28, 28, 1)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 63,122 parameters by default.

    Example:

    >>> conv248().count_params()
    63122
    """
    image = keras.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(image)
    for number, filters in enumerate((2, 4, 8), 1):
        conv = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{number}")
        x = conv(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(image, layers.Dense(num_classes, name="logits")(x), name="conv248")
