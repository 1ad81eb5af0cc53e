"""What works on which backend of Keras."""

import keras

from keras_prune.errors import ModelError

_EVERYWHERE = (
    "Channel pruning (kp.prune with a plan from the criteria l1, l2, bn_scale, fpgm, cosine, lamp "
    "or random, within a kp.Budget) works on every backend."
)


def require_tensorflow(what: str) -> None:
    """Refuses to go on where Keras runs on another backend.

    Args:
        what: what needs TensorFlow, for the message.

    Raises:
        ModelError: the backend is another one.
    """
    if keras.backend.backend() != "tensorflow":
        raise ModelError(
            f"{what} needs Keras on TensorFlow. Received: Keras on {keras.backend.backend()}. "
            f"{_EVERYWHERE}"
        )
