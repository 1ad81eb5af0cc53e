"""Keras' training steps, told to a watcher."""

import time
from collections.abc import Mapping
from typing import Any

import keras

from keras_prune.utils.progress import Progress, Watcher, percent

_INTERVAL = 0.1


class ProgressCallback(keras.callbacks.Callback):
    """Tells a watcher of steps, at most ten times a second, and of every epoch's end."""

    def __init__(self, watcher: Watcher, stage: str) -> None:
        super().__init__()
        self._watcher = watcher
        self._stage = stage
        self._epoch = 0
        self._told = 0.0

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        last = batch + 1 == self.params["steps"]  # the end of the epoch tells of it
        if not last and time.monotonic() - self._told >= _INTERVAL:
            self._tell(self._epoch * self.params["steps"] + batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._tell((epoch + 1) * self.params["steps"], logs)

    def _tell(self, done: int, logs: Mapping[str, Any] | None) -> None:
        self._told = time.monotonic()
        total = self.params["epochs"] * self.params["steps"]
        self._watcher(Progress(self._stage, done, total, percent(logs or {})))
