"""VGG16 for small images: batch-normalised convolutions and one hidden dense layer."""

import keras
from keras import layers

from keras_prune.zoo.pieces import image_input

# (convolutions, filters) of each block; every block halves the image.
_BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
_SMALLEST_SIDE = 2 ** len(_BLOCKS)


def vgg16(input_shape: tuple[int, int, int] = (32, 32, 3), num_classes: int = 10) -> keras.Model:
    """VGG16 with BatchNorm, as it is commonly used on CIFAR-10.

    Args:
        input_shape: `(height, width, 3)`, each side at least 32; default `(32, 32, 3)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 14,995,146 parameters by default.

    Raises:
        ModelError: the input is smaller than five halvings allow, or not RGB.

    Reference: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition", ICLR 2015, table 1, configuration D.
    """
    image, x = image_input("vgg16", input_shape, _SMALLEST_SIDE)
    for block, (convolutions, filters) in enumerate(_BLOCKS, start=1):
        for index in range(1, convolutions + 1):
            x = _convolution(x, block, index, filters)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(512, kernel_initializer="he_normal", name="fc1")(x)
    x = layers.ReLU(name="fc1_relu")(x)
    x = layers.Dropout(0.5, name="dropout")(x)
    return keras.Model(image, layers.Dense(num_classes, name="logits")(x), name="vgg16")


def _convolution(x: keras.KerasTensor, block: int, index: int, filters: int) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=False,  # BatchNorm's beta takes its place.
        kernel_initializer="he_normal",
        name=f"block{block}_conv{index}",
    )(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"block{block}_bn{index}")(x)
    return layers.ReLU(name=f"block{block}_relu{index}")(x)
