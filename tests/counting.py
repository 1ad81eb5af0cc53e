"""Multiply-accumulates counted from kernels and positions alone, without the package's rules."""

import math

import keras
from keras import layers as kl

from keras_prune.graph import Call, trace
from keras_prune.graph.nested import opened

TRANSPOSED = (kl.Conv1DTranspose, kl.Conv2DTranspose, kl.Conv3DTranspose)


def direct_macs(model: keras.Model) -> int:
    """What a model of channels-last layers multiplies for one example."""
    return sum(_macs(located.call) for located in opened(trace(model)))


def _macs(call: Call) -> int:
    layer = call.operation
    kernels = [w for w in getattr(layer, "weights", ()) if "kernel" in w.name]
    # A transposed convolution takes each kernel to every position of its input.
    tensor = call.inputs[0] if isinstance(layer, TRANSPOSED) else call.outputs[0]
    positions = math.prod(tensor.shape[1:-1])
    return sum(math.prod(kernel.shape) * positions for kernel in kernels)
