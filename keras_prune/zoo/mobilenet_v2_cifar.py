"""MobileNetV2 for CIFAR: inverted residuals around depthwise convolutions."""

import keras
from keras import layers

from keras_prune.zoo.pieces import classifier, convolution, image_input, norm

# Expansion, channels, blocks, stride of the first block. The strides of the stem and of the second
# row are 1 here: an image of 32 pixels has no room for five halvings.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_SMALLEST_SIDE = 8


def mobilenet_v2_cifar(
    input_shape: tuple[int, int, int] = (32, 32, 3), num_classes: int = 10
) -> keras.Model:
    """MobileNetV2 for CIFAR: 2.24 M parameters, 88 M MACs.

    Args:
        input_shape: `(height, width, 3)`, each side at least 8; default `(32, 32, 3)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 2,236,682 trainable parameters by
        default, 3,504,872 for 1,000 classes.

    Raises:
        ModelError: the input is too small, or not RGB.

    Reference: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018,
    table 2 (the blocks) and table 4 (3.4 M parameters for 1,000 classes); the figures for CIFAR-10
    are those of chenyaofo/pytorch-cifar-models.
    """
    image, x = image_input("mobilenet_v2_cifar", input_shape, _SMALLEST_SIDE)
    x = _clipped(convolution(x, 32, 3, "stem"), "stem")
    for stage, (expansion, filters, blocks, first) in enumerate(_STAGES, start=1):
        for block in range(1, blocks + 1):
            strides = first if block == 1 else 1
            x = _inverted_residual(x, expansion, filters, strides, f"stage{stage}_block{block}")
    x = _clipped(convolution(x, 1280, 1, "head"), "head")
    return classifier(image, x, num_classes, "mobilenet_v2_cifar")


def _inverted_residual(
    x: keras.KerasTensor, expansion: int, filters: int, strides: int, name: str
) -> keras.KerasTensor:
    y = x
    if expansion > 1:
        y = convolution(x, expansion * x.shape[-1], 1, f"{name}_expand")
        y = _clipped(y, f"{name}_expand")
    depthwise = layers.DepthwiseConv2D(
        3, strides, padding="same", use_bias=False, name=f"{name}_depthwise"
    )
    y = _clipped(depthwise(y), f"{name}_depthwise")
    y = norm(convolution(y, filters, 1, f"{name}_project"), f"{name}_project")
    if strides > 1 or x.shape[-1] != filters:
        return y
    return layers.Add(name=f"{name}_add")([x, y])


def _clipped(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.ReLU(max_value=6, name=f"{name}_relu")(norm(x, name))
