"""GoogLeNet for CIFAR: inception blocks of four branches that are concatenated."""

import keras
from keras import layers

from keras_prune.zoo.pieces import classifier, conv_norm_relu, image_input

# 1x1; before 3x3, 3x3; before 5x5, 5x5; after pooling. None halves the image.
_INCEPTIONS = (
    ("3a", 64, 96, 128, 16, 32, 32),
    ("3b", 128, 128, 192, 32, 96, 64),
    None,
    ("4a", 192, 96, 208, 16, 48, 64),
    ("4b", 160, 112, 224, 24, 64, 64),
    ("4c", 128, 128, 256, 24, 64, 64),
    ("4d", 112, 144, 288, 32, 64, 64),
    ("4e", 256, 160, 320, 32, 128, 128),
    None,
    ("5a", 256, 160, 320, 32, 128, 128),
    ("5b", 384, 192, 384, 48, 128, 128),
)
_SMALLEST_SIDE = 4


def googlenet_cifar(
    input_shape: tuple[int, int, int] = (32, 32, 3), num_classes: int = 10
) -> keras.Model:
    """GoogLeNet with BatchNorm for CIFAR: 6.15 M parameters, 1.52 G MACs.

    The stem is one 3x3 convolution that halves nothing, a 5x5 convolution is two of 3x3, and there
    are no auxiliary classifiers.

    Args:
        input_shape: `(height, width, 3)`, each side at least 4; default `(32, 32, 3)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 6,158,346 trainable parameters by
        default; without the scales of BatchNorm, which the published count leaves out, 6,150,442.

    Raises:
        ModelError: the input is too small, or not RGB.

    Reference: Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, table 1 (the blocks);
    Lin et al., "HRank", CVPR 2020, table 3 (6.15 M parameters, 1.52 B MACs, there called FLOPs).
    """
    image, x = image_input("googlenet_cifar", input_shape, _SMALLEST_SIDE)
    x = conv_norm_relu(x, 192, 3, "stem")
    halvings = 0
    for inception in _INCEPTIONS:
        if inception is None:
            halvings += 1
            x = layers.MaxPooling2D(3, 2, padding="same", name=f"pool{halvings}")(x)
        else:
            x = _inception(x, *inception)
    return classifier(image, x, num_classes, "googlenet_cifar")


def _inception(
    x: keras.KerasTensor, name: str, one: int, to3: int, three: int, to5: int, five: int, pool: int
) -> keras.KerasTensor:
    narrow3 = conv_norm_relu(x, to3, 1, f"{name}_reduce3")
    narrow5 = conv_norm_relu(x, to5, 1, f"{name}_reduce5")
    first5 = conv_norm_relu(narrow5, five, 3, f"{name}_conv5a")
    pooled = layers.MaxPooling2D(3, 1, padding="same", name=f"{name}_pool")(x)
    branches = [
        conv_norm_relu(x, one, 1, f"{name}_conv1"),
        conv_norm_relu(narrow3, three, 3, f"{name}_conv3"),
        conv_norm_relu(first5, five, 3, f"{name}_conv5b"),
        conv_norm_relu(pooled, pool, 1, f"{name}_project"),
    ]
    return layers.Concatenate(name=f"{name}_concat")(branches)
