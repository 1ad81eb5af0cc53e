"""What the networks for small images share: their input, and convolution, norm and ReLU in one."""

import keras
from keras import layers

from keras_prune.errors import ModelError

# CIFAR-10's training images, per channel, on the 0-1 scale.
_MEAN = (0.4914, 0.4822, 0.4465)
_DEVIATION = (0.2470, 0.2435, 0.2616)


def image_input(
    network: str, input_shape: tuple[int, int, int], smallest: int
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The input of pixel values 0-255, and what the network sees of it.

    Args:
        network: its name, for the message.
        input_shape: `(height, width, 3)`.
        smallest: the side below which the network has nothing left to halve.

    Raises:
        ModelError: the image is smaller than that, or not RGB.
    """
    if min(input_shape[:2]) < smallest or input_shape[2] != len(_MEAN):
        raise ModelError(
            f"{network} expected an RGB input of at least {smallest}x{smallest} pixels. "
            f"Received: input_shape={tuple(input_shape)}."
        )
    image = keras.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(image)
    variance = tuple(deviation**2 for deviation in _DEVIATION)
    return image, layers.Normalization(mean=_MEAN, variance=variance, name="normalization")(x)


def convolution(
    x: keras.KerasTensor, filters: int, size: int, name: str, strides: int = 1, groups: int = 1
) -> keras.KerasTensor:
    """A convolution without bias, for a BatchNorm follows whose beta takes its place."""
    return layers.Conv2D(
        filters,
        size,
        strides,
        padding="same",
        groups=groups,
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """BatchNorm; its statistics follow the batches fast, since trainings are short."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


def conv_norm_relu(
    x: keras.KerasTensor, filters: int, size: int, name: str, strides: int = 1, groups: int = 1
) -> keras.KerasTensor:
    """Convolution, BatchNorm and ReLU, named `name`, `name_bn` and `name_relu`."""
    x = norm(convolution(x, filters, size, name, strides, groups), name)
    return layers.ReLU(name=f"{name}_relu")(x)


def norm_relu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """BatchNorm and ReLU in front of a convolution."""
    return layers.ReLU(name=f"{name}_relu")(norm(x, name))


def classifier(
    image: keras.KerasTensor, x: keras.KerasTensor, num_classes: int, name: str
) -> keras.Model:
    """The model whose logits are read from the mean over all positions."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(image, layers.Dense(num_classes, name="logits")(x), name=name)
