"""ResNeXt-29 for CIFAR: bottlenecks whose middle convolution is grouped."""

import keras
from keras import layers

from keras_prune.zoo.pieces import classifier, conv_norm_relu, convolution, image_input, norm

_STAGES = (256, 512, 1024)  # channels of each stage's blocks
_BLOCKS = 3
_SMALLEST_SIDE = 8


def resnext29(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    num_classes: int = 10,
    cardinality: int = 8,
    width: int = 64,
) -> keras.Model:
    """ResNeXt-29, 8x64d: 34.4 M parameters, 5.4 G MACs.

    Args:
        input_shape: `(height, width, 3)`, each side at least 8; default `(32, 32, 3)`.
        num_classes: number of logits, default 10.
        cardinality: groups of the middle convolutions, default 8.
        width: channels of each group in the first stage, default 64; it doubles with every stage.

    Returns:
        A functional model from pixel values 0-255 to logits; 34,426,698 trainable parameters by
        default.

    Raises:
        ModelError: the input is too small, or not RGB.

    Reference: Xie et al., "Aggregated Residual Transformations for Deep Neural Networks", CVPR
    2017, section 5.4 and table 7 (parameters: 34.4 M, and 68.1 M for 16x64d). The paper counts no
    MACs for CIFAR; osmr/imgclsmob lists 10,709 M for 16x64d and 781 M for 32x4d, where each output
    of a convolution and a norm counts once more.
    """
    image, x = image_input("resnext29", input_shape, _SMALLEST_SIDE)
    x = conv_norm_relu(x, 64, 3, "stem")
    for stage, filters in enumerate(_STAGES, start=1):
        inner = cardinality * width * 2 ** (stage - 1)
        for block in range(1, _BLOCKS + 1):
            strides = 2 if block == 1 and stage > 1 else 1
            x = _bottleneck(x, filters, inner, cardinality, strides, f"stage{stage}_block{block}")
    return classifier(image, x, num_classes, "resnext29")


def _bottleneck(
    x: keras.KerasTensor, filters: int, inner: int, cardinality: int, strides: int, name: str
) -> keras.KerasTensor:
    y = conv_norm_relu(x, inner, 1, f"{name}_reduce")
    y = conv_norm_relu(y, inner, 3, f"{name}_grouped", strides, groups=cardinality)
    y = norm(convolution(y, filters, 1, f"{name}_expand"), f"{name}_expand")
    if x.shape[-1] != filters:
        shortcut = convolution(x, filters, 1, f"{name}_shortcut", strides)
        x = norm(shortcut, f"{name}_shortcut")
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, y]))
