"""Residual networks for CIFAR: three stages of basic blocks with identity shortcuts."""

import keras
from keras import layers, ops

from keras_prune.zoo.pieces import classifier, conv_norm_relu, convolution, image_input, norm

_STAGES = (16, 32, 64)
_SMALLEST_SIDE = 8


def resnet20(input_shape: tuple[int, int, int] = (32, 32, 3), num_classes: int = 10) -> keras.Model:
    """ResNet-20 for CIFAR: 0.27 M parameters, 40.6 M MACs.

    Args:
        input_shape: `(height, width, 3)`, each side at least 8; default `(32, 32, 3)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 269,722 trainable parameters by
        default.

    Raises:
        ModelError: the input is too small, or not RGB.

    Reference: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016,
    section 4.2 and table 6 (parameters); He et al., "Soft Filter Pruning", IJCAI 2018, table 1
    (MACs, there called FLOPs).
    """
    return _resnet("resnet20", 3, input_shape, num_classes)


def resnet56(input_shape: tuple[int, int, int] = (32, 32, 3), num_classes: int = 10) -> keras.Model:
    """ResNet-56 for CIFAR: 0.85 M parameters, 125.5 M MACs.

    Args:
        input_shape: `(height, width, 3)`, each side at least 8; default `(32, 32, 3)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 853,018 trainable parameters by
        default.

    Raises:
        ModelError: the input is too small, or not RGB.

    Reference: He et al., CVPR 2016, table 6 (parameters); Lin et al., "HRank", CVPR 2020, table 2
    (125.49 M MACs, there called FLOPs).
    """
    return _resnet("resnet56", 9, input_shape, num_classes)


def resnet110(
    input_shape: tuple[int, int, int] = (32, 32, 3), num_classes: int = 10
) -> keras.Model:
    """ResNet-110 for CIFAR: 1.7 M parameters, 253 M MACs.

    Args:
        input_shape: `(height, width, 3)`, each side at least 8; default `(32, 32, 3)`.
        num_classes: number of logits, default 10.

    Returns:
        A functional model from pixel values 0-255 to logits; 1,727,962 trainable parameters by
        default.

    Raises:
        ModelError: the input is too small, or not RGB.

    Reference: He et al., CVPR 2016, table 6 (parameters); Li et al., "Pruning Filters for Efficient
    ConvNets", ICLR 2017, table 1 (2.53e8 MACs, there called FLOP).
    """
    return _resnet("resnet110", 18, input_shape, num_classes)


def _resnet(
    name: str, blocks: int, input_shape: tuple[int, int, int], num_classes: int
) -> keras.Model:
    image, x = image_input(name, input_shape, _SMALLEST_SIDE)
    x = conv_norm_relu(x, _STAGES[0], 3, "stem")
    for stage, filters in enumerate(_STAGES, start=1):
        for block in range(1, blocks + 1):
            x = _basic_block(x, filters, f"stage{stage}_block{block}")
    return classifier(image, x, num_classes, name)


def _basic_block(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    strides = 1 if x.shape[-1] == filters else 2
    inner = conv_norm_relu(x, filters, 3, f"{name}_conv1", strides)
    inner = norm(convolution(inner, filters, 3, f"{name}_conv2"), f"{name}_conv2")
    if strides > 1:
        x = _widened(x, filters)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, inner]))


def _widened(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    """Option A of the paper: every second position, and zeros for the channels that come new."""
    half = x[:, ::2, ::2]
    return ops.pad(half, [[0, 0], [0, 0], [0, 0], [0, filters - x.shape[-1]]])
