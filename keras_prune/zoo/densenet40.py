"""DenseNet-40 for CIFAR: every convolution reads all before it in its block."""

import keras
from keras import layers

from keras_prune.zoo.pieces import classifier, convolution, image_input, norm_relu

_GROWTH = 12
_BLOCKS = 3
_LAYERS = 12  # convolutions in each block
_SMALLEST_SIDE = 8


def densenet40(
    input_shape: tuple[int, int, int] = (32, 32, 3), num_classes: int = 10
) -> keras.Model:
    """DenseNet of 40 layers and growth rate 12, without bottlenecks: 1.0 M parameters, 265 M MACs.

    Args:
        input_shape: `(height, width, 3)`, each side at least 8; default `(32, 32, 3)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 1,019,722 trainable parameters by
        default.

    Raises:
        ModelError: the input is too small, or not RGB.

    Reference: Huang, Liu, van der Maaten and Weinberger, "Densely Connected Convolutional
    Networks", CVPR 2017, section 3 and table 2 (parameters); Liu et al., "Learning Efficient
    Convolutional Networks through Network Slimming", ICCV 2017, table 1 (1.02 M parameters, 5.33e8
    FLOPs at two a MAC, 0.6 % more than counted here).
    """
    image, x = image_input("densenet40", input_shape, _SMALLEST_SIDE)
    x = convolution(x, 16, 3, "stem")
    for block in range(1, _BLOCKS + 1):
        for number in range(1, _LAYERS + 1):
            x = _dense_layer(x, f"block{block}_conv{number}")
        if block < _BLOCKS:
            x = _transition(x, f"transition{block}")
    return classifier(image, norm_relu(x, "last"), num_classes, "densenet40")


def _dense_layer(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    new = convolution(norm_relu(x, name), _GROWTH, 3, name)
    return layers.Concatenate(name=f"{name}_concat")([x, new])


def _transition(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = convolution(norm_relu(x, name), x.shape[-1], 1, name)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)
