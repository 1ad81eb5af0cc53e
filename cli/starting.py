"""Importing the rooms that do the work, late and without the greetings of their libraries."""

import contextlib
import logging
from collections.abc import Iterator

from keras_prune.utils.quiet import quiet_descriptors


@contextlib.contextmanager
def quietly(*, start: bool = True) -> Iterator[None]:
    """A block of imports, which may take seconds, without what libraries say in it.

    Args:
        start: whether to start TensorFlow's runtime at its end, too; default True.
    """
    with quiet_descriptors():
        yield
        if start:
            import tensorflow as tf

            tf.config.list_logical_devices()
    for logger in ("absl", "tensorflow"):  # what they advise later
        logging.getLogger(logger).setLevel(logging.ERROR)
