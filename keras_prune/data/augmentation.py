"""Random shifts and flips of a whole batch at once."""

from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class Augmentation:
    """How far and in which ways training images may be moved.

    Args:
        shift: largest shift, as a fraction of the image's side; reflected pixels fill the border.
        flip: whether half of the images are mirrored left to right.
    """

    shift: float
    flip: bool

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Move every image by a draw of its own.

        A shifted and flipped image is a choice of source rows and columns, so one gather over the
        batch's pixels does all of it.

        Args:
            images: `(batch, height, width, channels)`.
            seed: `(2,)` integers; the same seed draws the same moves.

        Returns:
            The moved images, of the same shape and dtype.
        """
        shape = tf.shape(images)
        batch, height, width, channels = shape[0], shape[1], shape[2], shape[3]
        seeds = tf.random.split(seed, 3)
        rows = self._positions(batch, height, seeds[0])
        columns = self._positions(batch, width, seeds[1])
        if self.flip:
            heads = tf.random.stateless_uniform((batch, 1), seeds[2]) < 0.5
            columns = tf.where(heads, width - 1 - columns, columns)
        lines = tf.range(batch)[:, None] * height + rows  # (batch, height)
        pixels = lines[:, :, None] * width + columns[:, None, :]  # (batch, height, width)
        moved = tf.gather(tf.reshape(images, (-1, channels)), pixels)
        return tf.ensure_shape(moved, images.shape)

    def _positions(self, batch: tf.Tensor, length: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """For every target position the source position along one axis, `(batch, length)`."""
        reach = tf.cast(tf.round(self.shift * tf.cast(length, tf.float32)), tf.int32)
        offsets = tf.random.stateless_uniform(
            (batch, 1), seed, minval=-reach, maxval=reach + 1, dtype=tf.int32
        )
        last = length - 1
        return last - tf.abs(last - tf.abs(tf.range(length) + offsets))
