"""One image where sizes cannot be cut at run time, as in TFLite: a branch for every width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import tensorflow as tf

from keras_prune.graph import Call
from keras_prune.methods.rnp.inference.parts import InParts

Branch = Callable[[], tf.Tensor]


class Branched(InParts):
    """Runs one image, each convolution in the branch of the channels it reads and makes.

    Every branch fills up to the same shape, for all are allocated beforehand. Each cuts the weights
    inside, so that its own become constants of its own: those from outside would not be computed by
    XNNPACK.
    """

    def convolve(self, call: Call, features: tf.Tensor, actions: list[tf.Tensor]) -> tf.Tensor:
        """The branch that was decided on."""
        reads, makes = self.decisions.around(call)
        into = self.widths(reads, features.shape[-1])
        out = self.widths(makes, call.outputs[0].shape[-1])

        def reading(width: int) -> tf.Tensor:
            branches = [partial(self.part, call, features, width, made) for made in out]
            return _chosen(branches, _action(makes, actions))

        return _chosen([partial(reading, width) for width in into], _action(reads, actions))


def _action(step: int | None, actions: list[tf.Tensor]) -> tf.Tensor | int:
    return 0 if step is None else actions[step][0]


def _chosen(branches: Sequence[Branch], action: tf.Tensor | int) -> tf.Tensor:
    """The branch of an action, found by halving: TFLite has no switch."""
    if len(branches) == 1:
        return branches[0]()
    half = len(branches) // 2
    return tf.cond(
        action < half,
        lambda: _chosen(branches[:half], action),
        lambda: _chosen(branches[half:], action - half),
    )
