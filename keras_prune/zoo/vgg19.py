"""VGG19 for small images: sixteen batch-normalised convolutions and one dense layer."""

import keras
from keras import layers

from keras_prune.zoo.pieces import classifier, conv_norm_relu, image_input

# (convolutions, filters) of each block; a pooling halves the image between two.
_BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))
_SMALLEST_SIDE = 2 ** (len(_BLOCKS) - 1)


def vgg19(input_shape: tuple[int, int, int] = (32, 32, 3), num_classes: int = 10) -> keras.Model:
    """VGG19 with BatchNorm as the literature on pruning has it on CIFAR: 20.04 M parameters.

    It counts 398 M MACs. The last pooling takes the mean over all positions.

    Args:
        input_shape: `(height, width, 3)`, each side at least 16; default `(32, 32, 3)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 20,035,018 trainable parameters by
        default; the published count also has 5,504 biases that BatchNorm makes superfluous.

    Raises:
        ModelError: the input is too small, or not RGB.

    Reference: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition", ICLR 2015, table 1, configuration E; Liu et al., "Learning Efficient Convolutional
    Networks through Network Slimming", ICCV 2017, table 1 (20.04 M parameters, 7.97e8 FLOPs at two
    a MAC).
    """
    image, x = image_input("vgg19", input_shape, _SMALLEST_SIDE)
    for block, (convolutions, filters) in enumerate(_BLOCKS, start=1):
        if block > 1:
            x = layers.MaxPooling2D(2, name=f"block{block - 1}_pool")(x)
        for index in range(1, convolutions + 1):
            x = conv_norm_relu(x, filters, 3, f"block{block}_conv{index}")
    return classifier(image, x, num_classes, "vgg19")
