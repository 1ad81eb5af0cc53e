"""Image files, and images as a network takes them."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_prune.data.sources import Shape
from keras_prune.errors import DataError

FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
"""Suffixes of the files that can be read, as in `keras.utils.image_dataset_from_directory`."""


def read_images(paths: list[Path], input_shape: Shape) -> np.ndarray:
    """Image files, resized to a network's input.

    Args:
        paths: the files; of an animation the first picture is taken.
        input_shape: `(height, width, channels)` of the network's input.

    Returns:
        uint8 `(files, height, width, 3)`; the channels are left to `as_inputs`.

    Raises:
        DataError: a file is missing or no image.
    """
    images = np.empty((len(paths), *input_shape[:2], 3), "uint8")

    def read(index: int) -> None:
        images[index] = _read(paths[index], input_shape)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(read, range(len(paths))))
    return images


def inputs_from_files(paths: list[Path], input_shape: Shape, rescale: float = 1.0) -> np.ndarray:
    """Image files as a network takes them, float32 `(files, *input_shape)`; see `read_images`."""
    images = tf.constant(read_images(paths, input_shape))
    return as_inputs(images, input_shape, rescale).numpy()


def resized(image: tf.Tensor, input_shape: Shape) -> tf.Tensor:
    """One image in the height and width of an input, bilinearly, in whole values (uint8)."""
    return tf.cast(tf.round(tf.image.resize(image, input_shape[:2])), tf.uint8)


def as_inputs(images: tf.Tensor, input_shape: Shape, rescale: float = 1.0) -> tf.Tensor:
    """Images as the network takes them: float32, right scale, right size, right channels.

    Args:
        images: `(batch, height, width, channels)` with one or three channels.
        input_shape: `(height, width, channels)`, one or three channels.
        rescale: what pixel values are multiplied by; default: they stay 0-255.
    """
    images = tf.cast(images, tf.float32)
    if rescale != 1:
        images *= rescale
    if images.shape[1:3] != input_shape[:2]:
        images = tf.image.resize(images, input_shape[:2])
    if images.shape[-1] < input_shape[-1]:
        return tf.image.grayscale_to_rgb(images)
    return tf.image.rgb_to_grayscale(images) if images.shape[-1] > input_shape[-1] else images


def _read(path: Path, input_shape: Shape) -> np.ndarray:
    if not path.is_file():
        raise DataError(f"Image {path} does not exist.")
    try:
        with tf.device("CPU"):
            image = tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False)
            return resized(image, input_shape).numpy()
    except (OSError, tf.errors.OpError) as error:
        raise DataError(
            f"Cannot read the image {path}: it is damaged or none of {', '.join(FORMATS)}. "
            "Repair or remove it."
        ) from error
