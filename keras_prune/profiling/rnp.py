"""The convention of runtime neural pruning: the multiplications of convolutions."""

from collections.abc import Sequence

import keras

from keras_prune.graph import Call
from keras_prune.profiling.counting import Work, total_macs

layers = keras.layers

_CONVOLUTIONS = (
    layers.Conv1D, layers.Conv2D, layers.Conv3D,
    layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose,
    layers.DepthwiseConv1D, layers.DepthwiseConv2D,
    layers.SeparableConv1D, layers.SeparableConv2D,
)  # fmt: skip


def rnp(calls: Sequence[Call]) -> Work:
    """`multiplications = MACs` of convolutions; biases and every other layer count 0.

    The FLOPs are `2 MACs`.

    Args:
        calls: all calls of one layer.

    Returns:
        The work on one example.

    Raises:
        Unsupported: no rule can count the layer's work.

    Reference: Lin, Rao, Lu and Zhou, "Runtime Neural Pruning", NeurIPS 2017.
    """
    count = total_macs(calls)
    return Work(count, 2 * count) if isinstance(calls[0].operation, _CONVOLUTIONS) else Work(0, 0)
