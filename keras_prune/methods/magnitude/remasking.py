"""Training that leaves pruned weights at zero."""

from typing import Any

import keras

from keras_prune.methods.magnitude.masks import Masks


class Remasking(keras.callbacks.Callback):
    """Masks the weights after every step, whatever the optimizer remembers of them.

    Args:
        masks: the masks; they do not change.
    """

    def __init__(self, masks: Masks) -> None:
        super().__init__()
        self._masks = masks

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._masks.apply()
