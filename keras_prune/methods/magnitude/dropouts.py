"""Dropout that weakens as connections leave.

`D_r = D_o · sqrt(C_r / C_o)`, where `C` counts the connections of the layer whose outputs are
dropped, before (o) and after (r) pruning: a layer of fewer connections overfits less.

Reference: Han, Pool, Tran and Dally, "Learning both Weights and Connections for Efficient Neural
Networks", NeurIPS 2015, section 3.2.
"""

from collections.abc import Iterator, Sequence

import keras
import numpy as np

from keras_prune.graph import trace
from keras_prune.graph.nested import opened
from keras_prune.methods.magnitude.selection import Kernel

Arrays = Sequence[np.ndarray]


def dropout_rates(model: keras.Model, found: Sequence[Kernel]) -> list[float]:
    """The rates of the dropout layers behind pruned layers, in the order of the calls.

    Args:
        model: the model.
        found: its kernels that are pruned.
    """
    return [dropout.rate for dropout, _ in _behind(model, found)]


def set_dropout_rates(model: keras.Model, found: Sequence[Kernel], rates: Sequence[float]) -> None:
    """Gives a model the rates that `dropout_rates` or `weakened` returned.

    Rates are attributes: a model that was made anew has those of its first day.
    """
    for (dropout, _), rate in zip(_behind(model, found), rates, strict=True):
        dropout.rate = rate


def weakened(
    model: keras.Model, found: Sequence[Kernel], rates: Sequence[float], before: Arrays, now: Arrays
) -> list[float]:
    """The rates once connections have left.

    Args:
        model: the model.
        found: its kernels that are pruned.
        rates: the rates as long as `before` held.
        before: bool, the masks on the kernels then.
        now: the masks on the kernels now.
    """
    connections, left = _connections(found, before), _connections(found, now)
    return [
        rate * (left[layer] / connections[layer]) ** 0.5 if connections[layer] else rate
        for (_, layer), rate in zip(_behind(model, found), rates, strict=True)
    ]


def _connections(found: Sequence[Kernel], masks: Arrays) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kernel, mask in zip(found, masks, strict=True):
        counts[kernel.layer] = counts.get(kernel.layer, 0) + int(mask.sum())
    return counts


def _behind(
    model: keras.Model, found: Sequence[Kernel]
) -> Iterator[tuple[keras.layers.Dropout, str]]:
    """The dropout layers, each once, with the last pruned layer before its first call."""
    pruned = {kernel.layer for kernel in found}
    source: dict[int, str] = {}
    met: dict[int, None] = {}
    for _, call, _ in opened(trace(model)):
        layer = call.operation
        name = layer.name
        if name not in pruned:
            name = next((source[id(x)] for x in call.inputs if id(x) in source), "")
        if name:
            source.update((id(tensor), name) for tensor in call.outputs)
            if isinstance(layer, keras.layers.Dropout) and id(layer) not in met:
                met[id(layer)] = None
                yield layer, name
