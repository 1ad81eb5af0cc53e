"""LeNet-5 as Caffe ships it: the convolutional network of Han's magnitude-pruning experiments."""

import keras
from keras import layers

from keras_prune.errors import ModelError

# Below this, the second pooling has nothing left to pool.
_SMALLEST_SIDE = 16


def lenet5_caffe(
    input_shape: tuple[int, int, int] = (28, 28, 1), num_classes: int = 10
) -> keras.Model:
    """Convolutions of 20 and 50 filters with max pooling, and one hidden dense layer of 500 units.

    As in Caffe, only the hidden dense layer is followed by a ReLU.

    Args:
        input_shape: `(height, width, channels)`, each side at least 16; default `(28, 28, 1)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 431,080 parameters by default.

    Raises:
        ModelError: the input is smaller than two convolutions and poolings allow.

    Example:

    >>> lenet5_caffe().count_params()
    431080

    Reference: Han, Pool, Tran and Dally, "Learning both Weights and Connections for Efficient
    Neural Networks", NeurIPS 2015, section 4.1.
    """
    if min(input_shape[:2]) < _SMALLEST_SIDE:
        raise ModelError(
            f"lenet5_caffe expected an input of at least {_SMALLEST_SIDE}x{_SMALLEST_SIDE} pixels. "
            f"Received: input_shape={tuple(input_shape)}."
        )
    image = keras.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(image)
    x = layers.Conv2D(20, 5, name="conv1")(x)
    x = layers.MaxPooling2D(2, name="pool1")(x)
    x = layers.Conv2D(50, 5, name="conv2")(x)
    x = layers.MaxPooling2D(2, name="pool2")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.ReLU(name="relu")(layers.Dense(500, name="fc1")(x))
    return keras.Model(image, layers.Dense(num_classes, name="fc2")(x), name="lenet5_caffe")
