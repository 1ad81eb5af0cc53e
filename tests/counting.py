"""Multiply-accumulates counted from kernels and what a run makes, without the package's rules."""

import contextlib
import math
from unittest import mock

import keras
from keras import layers as kl

from tests.surgery.invariant import example

TRANSPOSED = (kl.Conv1DTranspose, kl.Conv2DTranspose, kl.Conv3DTranspose)
BATCH = 2


def direct_macs(model: keras.Model) -> int:
    """What the layers with kernels of a channels-last model multiply for one example."""
    counts = []
    with contextlib.ExitStack() as stack:
        for layer in {id(layer): layer for layer in _layers(model)}.values():
            stack.enter_context(mock.patch.object(layer, "call", _counting(layer, counts)))
        model(example(model, batch=BATCH), training=False)
    assert sum(counts) % BATCH == 0
    return sum(counts) // BATCH


def _layers(model):
    """Those of the models nested in it, too."""
    for layer in model.layers:
        yield from _layers(layer) if isinstance(layer, keras.Model) else [layer]


def _counting(layer, counts):
    call = layer.call

    def counted(inputs, *args, **kwargs):
        outputs = call(inputs, *args, **kwargs)
        # A transposed convolution takes each kernel to every position of its input.
        tensor = inputs if isinstance(layer, TRANSPOSED) else outputs
        kernels = [weight for weight in layer.weights if "kernel" in weight.name]
        counts.append(
            sum(map(math.prod, (w.shape for w in kernels))) * math.prod(tensor.shape[:-1])
        )
        return outputs

    return counted
