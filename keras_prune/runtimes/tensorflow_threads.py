"""How many threads TensorFlow computes with: one number for the whole process."""

import tensorflow as tf

from keras_prune.errors import ConfigError


def limit_tensorflow(threads: int | None) -> None:
    """Limits TensorFlow's threads; it must not have computed anything yet.

    Args:
        threads: the number; None leaves it as it is.

    Raises:
        ConfigError: TensorFlow runs already, with another number.
    """
    if threads is None:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise ConfigError(
            f"Expected threads={threads}, but TensorFlow runs already and keeps its number of "
            "threads. Start a new Python process, or leave `threads` out."
        ) from error
