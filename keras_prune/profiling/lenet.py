"""The convention of the LeNet magnitude-pruning tables: zero weights cost nothing."""

import math
from collections import defaultdict
from collections.abc import Sequence

import keras
import numpy as np

from keras_prune.graph import Call
from keras_prune.graph.work import additions, products
from keras_prune.profiling.counting import Work, output_elements

layers = keras.layers

_AVERAGE_POOLING = (layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D)


def lenet(calls: Sequence[Call]) -> Work:
    """`FLOPs = 2 · non-zero weights · positions + bias additions`, plus activations and pooling.

    The MACs are `non-zero weights · positions`. A ReLU costs one operation per element, and one
    that is called several times costs its last call only. Average pooling costs the elements of its
    window per output element. All else, a ReLU given as another layer's `activation=` included,
    counts 0.

    Args:
        calls: all calls of one layer.

    Returns:
        The work on one example.

    Raises:
        Unsupported: no rule can count the layer's work.
    """
    operation = calls[0].operation
    count = _nonzero_macs(calls)
    if _is_relu(operation):
        return Work(count, output_elements(calls[-1]))
    if isinstance(operation, _AVERAGE_POOLING):
        window = math.prod(operation.pool_size)
        return Work(count, window * sum(output_elements(call) for call in calls))
    return Work(count, 2 * count + sum(map(additions, calls)))


def _nonzero_macs(calls: Sequence[Call]) -> int:
    """`MACs · fraction of their weights that are not zero`; products of two tensors in full."""
    macs: dict[tuple[int, ...], int] = defaultdict(int)
    weights = {}
    for product in (product for call in calls for product in products(call)):
        key = tuple(map(id, product.weights))
        macs[key] += product.macs
        weights[key] = product.weights
    return sum(_without_zeros(count, weights[key]) for key, count in macs.items())


def _without_zeros(count: int, weights: Sequence[keras.Variable]) -> int:
    if not (count and weights):
        return count
    arrays = [keras.ops.convert_to_numpy(weight) for weight in weights]
    nonzero = sum(int(np.count_nonzero(array)) for array in arrays)
    return count * nonzero // sum(array.size for array in arrays)


def _is_relu(operation: keras.Operation) -> bool:
    if isinstance(operation, layers.Activation):
        return operation.activation is keras.activations.relu
    return isinstance(operation, layers.ReLU) or type(operation).__name__ == "Relu"
