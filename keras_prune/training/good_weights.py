"""A training whose numbers are none any more ends, and leaves the last weights that were some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_prune.errors import ConfigError


class GoodWeights:
    """The weights of a model at the last moment when all of them were numbers.

    Args:
        trainer: the compiled model.
        moment: what messages call now.
    """

    def __init__(self, trainer: keras.Model, moment: str) -> None:
        self._trainer = trainer
        self.keep(moment)

    def keep(self, moment: str) -> None:
        """Takes the weights of now for good ones."""
        self._values, self._moment = self._trainer.get_weights(), moment

    def check_loss(self, logs: Mapping[str, Any], epoch: int, step: int) -> None:
        """Ends a training whose loss is no number.

        Args:
            logs: what Keras has measured in this epoch.
            epoch, step: from 0.

        Raises:
            ConfigError: the loss is NaN or infinite; the model has good weights again.
        """
        loss = float(logs.get("loss", 0.0))
        if not np.isfinite(loss):
            self._end(f"The loss is {loss} in step {step + 1} of epoch {epoch + 1}", "a loss")

    def check_weights(self, epoch: int) -> None:
        """Ends a training that has left a weight which is no number.

        Args:
            epoch: from 0, which has just ended.

        Raises:
            ConfigError: a weight is NaN or infinite; the model has good weights again.
        """
        if bad := not_numbers(self._trainer):
            self._end(f"{bad} holds NaN after epoch {epoch + 1}", "a loss or a layer")

    def _end(self, what: str, other: str) -> None:
        rate = float(keras.ops.convert_to_numpy(self._trainer.optimizer.learning_rate))
        self._trainer.set_weights(self._values)
        raise ConfigError(
            f"{what} of the training. The network has its weights of {self._moment} again. Lower "
            f"the learning rate ({rate:.3g} there), or look for {other} that does not fit the data."
        )


def not_numbers(model: keras.Model) -> str | None:
    """The path of a weight that holds infinite numbers or none; None where there is none."""
    for weight in model.weights:
        if not np.isfinite(keras.ops.convert_to_numpy(weight).astype("float32")).all():
            return str(weight.path)
    return None
