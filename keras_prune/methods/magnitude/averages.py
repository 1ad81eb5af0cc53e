"""The averages that an optimizer keeps of pruned weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf

from keras_prune.methods.magnitude.masks import Masks


class MaskedAverages:
    """Moving averages under the masks of their weights.

    They remember weights from before these were pruned, and take the weights' place at the end of a
    training, or before a file is written.

    Args:
        masks: the masks.
        optimizer: a Keras optimizer, None if there is none; one without averages has nothing to
            mask.
    """

    def __init__(self, masks: Masks, optimizer: Any) -> None:
        pairs = list(_pairs(masks, optimizer))

        def mask() -> None:
            for average, mask in pairs:
                average.assign(tf.where(mask != 0, average, tf.zeros_like(average)))

        self.apply = tf.function(mask, input_signature=[]) if pairs else mask


def _pairs(masks: Masks, optimizer: Any) -> Iterator[tuple[tf.Variable, tf.Variable]]:
    """Each average and its mask."""
    averages = dict(pair for each in _optimizers(optimizer) for pair in _averages(each))
    for kernel, mask in zip(masks.kernels, masks.variables, strict=True):
        if id(kernel.variable) in averages:
            yield averages[id(kernel.variable)].value, mask


def _optimizers(optimizer: Any) -> Iterable[Any]:
    """Those that train: what one that scales the loss, or that stands for several, holds."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return getattr(inner, "optimizers", (inner,))


def _averages(optimizer: Any) -> Iterator[tuple[int, Any]]:
    """The id of each weight, and its average. Keras has no public name for them."""
    if getattr(optimizer, "use_ema", False) and optimizer.built:
        trained = optimizer._trainable_variables
        yield from zip(map(id, trained), optimizer._model_variables_moving_average, strict=True)
