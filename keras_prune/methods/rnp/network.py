"""The decision network: reads pooled feature maps bottom-up, says what each action is worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

layers = keras.layers


@keras.saving.register_keras_serializable("keras_prune")
class DecisionNetwork(keras.Layer):
    """An encoder per decision, one recurrent cell that all share, one decoder to Q-values.

    Args:
        channels: for each decision the channels of the feature map it is made on.
        actions: number of actions.
        code: length of the encoders' codes, default 64.
        units: units of the recurrent cell, default 64.

    Example:

    >>> network = DecisionNetwork([8, 16], actions=4)
    >>> network([keras.ops.ones((2, 8)), keras.ops.ones((2, 16))]).shape
    TensorShape([2, 2, 4])

    Reference: Lin, Rao, Lu and Zhou, "Runtime Neural Pruning", NeurIPS 2017, section 3.2.
    """

    def __init__(
        self,
        channels: Sequence[int],
        actions: int,
        code: int = 64,
        units: int = 64,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"name": "decisions", "dtype": "float32", **kwargs})
        self.channels, self.actions, self.code, self.units = list(channels), actions, code, units
        own = {"dtype": "float32"}
        self.means = [self._fixed(f"mean{n}", count, "zeros") for n, count in enumerate(channels)]
        self.scales = [self._fixed(f"scale{n}", count, "ones") for n, count in enumerate(channels)]
        self.encoders = [
            layers.Dense(code, "relu", name=f"encoder{n}", **own) for n in range(len(channels))
        ]
        self.cell = layers.SimpleRNNCell(units, name="cell", **own)
        self.decoder = layers.Dense(actions, name="decoder", **own)
        for count, encoder in zip(channels, self.encoders, strict=True):
            encoder.build((None, count))
        self.cell.build((None, code))
        self.decoder.build((None, units))
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """What the layer is made from."""
        own = {name: getattr(self, name) for name in ("channels", "actions", "code", "units")}
        return {**super().get_config(), **own}

    def adapt(self, states: Sequence[np.ndarray]) -> None:
        """Takes mean and variance of the states from examples, each `(examples, channels)`.

        A channel that never varies tells nothing, and is taken for 0.
        """
        for mean, scale, examples in zip(self.means, self.scales, states, strict=True):
            spread = np.std(examples, axis=0)
            mean.assign(np.mean(examples, axis=0))
            scale.assign(np.divide(1, spread, out=np.zeros_like(spread), where=spread > 1e-7))

    def call(self, states: Sequence[tf.Tensor]) -> tf.Tensor:
        """Q-values of whole episodes.

        Args:
            states: for each decision `(batch, channels)`.

        Returns:
            float32 `(batch, decisions, actions)`.
        """
        memory = self.start(tf.shape(states[0])[0])
        values = []
        for number, state in enumerate(states):
            value, memory = self.step(number, state, memory)
            values.append(value)
        return tf.stack(values, axis=1)

    def start(self, batch: int | tf.Tensor) -> tf.Tensor:
        """The cell's memory before the first decision."""
        return tf.zeros((batch, self.units))

    def step(self, number: int, state: tf.Tensor, memory: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Q-values `(batch, actions)` of one decision, and the memory after it."""
        code = self.encoders[number]((state - self.means[number]) * self.scales[number])
        output, [memory] = self.cell(code, [memory])
        return self.decoder(output), memory

    def _fixed(self, name: str, count: int, initializer: str) -> keras.Variable:
        """A weight that is not learned. (Those of `Normalization` do not follow `set_weights`.)"""
        return self.add_weight(shape=(count,), initializer=initializer, trainable=False, name=name)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all decisions on one image."""
        shared = self.code * self.units + self.units**2 + self.units * self.actions
        return sum(count * self.code + shared for count in self.channels)
