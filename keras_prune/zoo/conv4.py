"""Conv4: the small networks of the runtime pruning experiments."""

import keras
from keras import layers

_FILTERS = (64, 128, 64, 32)


def conv4(input_shape: tuple[int, int, int] = (28, 28, 1), num_classes: int = 10) -> keras.Model:
    """Four convolutions of 64, 128, 64 and 32 filters with ReLU, one pooling, one dense layer.

    Args:
        input_shape: `(height, width, channels)`; default `(28, 28, 1)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 229,482 parameters by default, and
        130,507,776 multiplications in its convolutions.

    Example:

    >>> conv4().count_params()
    229482
    """
    image = keras.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(image)
    for number, filters in enumerate(_FILTERS, 1):
        x = _block(x, number, filters)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(image, layers.Dense(num_classes, name="logits")(x), name="conv4")


def conv4_cifar(
    input_shape: tuple[int, int, int] = (32, 32, 3), num_classes: int = 10
) -> keras.Model:
    """Four convolutions of 32, 64, 128 and 128 filters with ReLU, pooled after all but the third.

    Args:
        input_shape: `(height, width, channels)`; default `(32, 32, 3)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 19,759,104 multiplications in its
        convolutions by default.

    Example:

    >>> conv4_cifar().count_params()
    261322
    """
    image = keras.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(image)
    for number, filters in enumerate((32, 64, 128, 128), 1):
        x = _block(x, number, filters)
        if number != 3:
            x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(image, layers.Dense(num_classes, name="logits")(x), name="conv4_cifar")


def _block(x: keras.KerasTensor, number: int, filters: int) -> keras.KerasTensor:
    conv = layers.Conv2D(
        filters, 3, padding="same", kernel_initializer="he_normal", name=f"conv{number}"
    )
    return layers.ReLU(name=f"relu{number}")(conv(x))
