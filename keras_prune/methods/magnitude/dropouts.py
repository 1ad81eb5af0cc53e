"""Dropout that weakens as connections leave."""

from collections.abc import Sequence

import keras

from keras_prune.graph import trace
from keras_prune.graph.opened import opened
from keras_prune.methods.magnitude.masks import Masks


class Dropouts:
    """The dropout layers behind pruned layers.

    `D_r = D_o · sqrt(C_r / C_o)`, where `C` counts the connections of the layer whose outputs are
    dropped, before (o) and after (r) pruning: a layer of fewer connections overfits less.

    Args:
        model: the model; its dropout layers' rates are changed by `scale`.
        masks: the masks on its kernels.

    Reference: Han, Pool, Tran and Dally, "Learning both Weights and Connections for Efficient
    Neural Networks", NeurIPS 2015, section 3.2.
    """

    def __init__(self, model: keras.Model, masks: Masks) -> None:
        self._masks = masks
        self._before = _connections(masks)
        pairs = _fed(model, [kernel.layer for kernel in masks.kernels])
        self._rates = [(dropout, dropout.rate, layer) for dropout, layer in pairs]

    def scale(self) -> None:
        """Sets every rate by the connections there are now."""
        now = _connections(self._masks)
        for dropout, rate, layer in self._rates:
            dropout.rate = rate * (now[layer] / self._before[layer]) ** 0.5


def _connections(masks: Masks) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kernel, mask in zip(masks.kernels, masks.numpy(), strict=True):
        counts[kernel.layer] = counts.get(kernel.layer, 0) + int(mask.sum())
    return counts


def _fed(model: keras.Model, pruned: Sequence[str]) -> list[tuple[keras.layers.Dropout, str]]:
    """The dropout layers, each with the last pruned layer before it."""
    source: dict[int, str] = {}
    found = []
    for _, call, _ in opened(trace(model)):
        name = call.operation.name
        if name not in pruned:
            name = next((source[id(x)] for x in call.inputs if id(x) in source), "")
        if name:
            source.update((id(tensor), name) for tensor in call.outputs)
            if isinstance(call.operation, keras.layers.Dropout):
                found.append((call.operation, name))
    return found
