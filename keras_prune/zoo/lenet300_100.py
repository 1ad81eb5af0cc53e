"""LeNet-300-100: the dense network of the magnitude-pruning experiments."""

import keras
from keras import layers


def lenet300_100(
    input_shape: tuple[int, int, int] = (28, 28, 1), num_classes: int = 10
) -> keras.Model:
    """Two hidden dense layers of 300 and 100 units. One ReLU layer is called after both.

    Args:
        input_shape: `(height, width, channels)`, default `(28, 28, 1)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 266,610 parameters by default.

    Reference: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document
    Recognition", Proceedings of the IEEE 1998, section III.C.
    """
    relu = layers.ReLU(name="relu")
    image = keras.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(image)
    x = layers.Flatten(name="flatten")(x)
    x = relu(layers.Dense(300, name="fc1")(x))
    x = relu(layers.Dense(100, name="fc2")(x))
    return keras.Model(image, layers.Dense(num_classes, name="fc3")(x), name="lenet300_100")
