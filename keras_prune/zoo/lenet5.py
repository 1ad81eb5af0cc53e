"""LeNet-5: the small convolutional network of the magnitude-pruning experiments."""

import keras
from keras import layers

from keras_prune.errors import ModelError

# Below this, the second pooling has nothing left to pool.
_SMALLEST_SIDE = 12


def lenet5(input_shape: tuple[int, int, int] = (28, 28, 1), num_classes: int = 10) -> keras.Model:
    """LeNet-5 with ReLU and average pooling; 28x28 images are padded to 32x32 inside.

    One ReLU layer is called after every hidden layer.

    Args:
        input_shape: `(height, width, channels)`, each side at least 12; default `(28, 28, 1)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 61,706 parameters by default.

    Raises:
        ModelError: the input is smaller than two convolutions and poolings allow.

    Reference: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document
    Recognition", Proceedings of the IEEE 1998, section II.B.
    """
    if min(input_shape[:2]) < _SMALLEST_SIDE:
        raise ModelError(
            f"lenet5 expected an input of at least {_SMALLEST_SIDE}x{_SMALLEST_SIDE} pixels. "
            f"Received: input_shape={tuple(input_shape)}."
        )
    relu = layers.ReLU(name="relu")
    image = keras.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(image)
    x = layers.ZeroPadding2D(2, name="padding")(x)
    x = relu(layers.Conv2D(6, 5, name="conv1")(x))
    x = layers.AveragePooling2D(2, name="pool1")(x)
    x = relu(layers.Conv2D(16, 5, name="conv2")(x))
    x = layers.AveragePooling2D(2, name="pool2")(x)
    x = layers.Flatten(name="flatten")(x)
    x = relu(layers.Dense(120, name="fc1")(x))
    x = relu(layers.Dense(84, name="fc2")(x))
    return keras.Model(image, layers.Dense(num_classes, name="fc3")(x), name="lenet5")
