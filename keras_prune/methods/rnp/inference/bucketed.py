"""Many images: those that take the same action are computed together."""

from __future__ import annotations

import itertools

import tensorflow as tf

from keras_prune.graph import Call
from keras_prune.methods.rnp.inference.parts import InParts


class Bucketed(InParts):
    """Sorts the images of a batch into buckets before each convolution.

    A bucket holds the images with the same channels to read and to make; its convolution computes
    these only. Afterwards every image is back in its place.
    """

    def convolve(self, call: Call, features: tf.Tensor, actions: list[tf.Tensor]) -> tf.Tensor:
        """The convolution of each bucket, put together."""
        reads, makes = self.decisions.around(call)
        into = self.widths(reads, features.shape[-1])
        out = self.widths(makes, call.outputs[0].shape[-1])
        bucket = _action(reads, features, actions) * len(out) + _action(makes, features, actions)
        places, parts = [], []
        for number, width in enumerate(itertools.product(into, out)):
            rows = tf.reshape(tf.where(bucket == number), [-1])
            places.append(tf.cast(rows, tf.int32))
            parts.append(self._bucket(call, features, rows, *width))
        return tf.dynamic_stitch(places, parts)

    def _bucket(
        self, call: Call, features: tf.Tensor, rows: tf.Tensor, into: int, out: int
    ) -> tf.Tensor:
        """One bucket's convolution; none at all if it is empty, for oneDNN fails on no image."""
        nothing = (0, *call.outputs[0].shape[1:])
        return tf.cond(
            tf.size(rows) > 0,
            lambda: self.part(call, tf.gather(features, rows), into, out),
            lambda: tf.zeros(nothing, call.operation.compute_dtype),
        )


def _action(step: int | None, features: tf.Tensor, actions: list[tf.Tensor]) -> tf.Tensor:
    """The action of each image, 0 where nothing is decided."""
    return tf.zeros(tf.shape(features)[:1], tf.int32) if step is None else actions[step]
