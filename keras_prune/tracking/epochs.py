"""Keras' epochs, told to whoever asks."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from keras_prune.utils.progress import percent


class Epochs(keras.callbacks.Callback):
    """Calls with an epoch's number, from 1, and its figures, accuracies in percent."""

    def __init__(self, tell: Callable[[int, Mapping[str, float]], None]) -> None:
        super().__init__()
        self._tell = tell

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._tell(epoch + 1, percent(logs or {}))
