"""REINFORCE for actions of many bits."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

# The shift must travel several log-odds while the network learns in small steps.
_SHIFT_SCALE = 10.0


@dataclass(frozen=True)
class Sample:
    """Actions drawn together.

    Args:
        actions: float32 0 or 1, shape `(samples, bits)`.
        shifts: the log-odds all bits of an action were shifted by, shape `(samples,)`.
    """

    actions: np.ndarray
    shifts: np.ndarray


class BernoulliAgent:
    """A policy over `bits` independent coins, learned with REINFORCE (Williams, 1992).

    `P(bit_j = 1) = sigmoid(f(state)_j + u)`, with one `u ~ N(m, spread^2)` an action and `f` of
    mean 0: the network says which bits are 1, the shift how many. Without the shared shift the
    *number* of ones would hardly vary between actions (of many coins, the share of ones is nearly
    fixed), and nothing could be learned about it. The gradient is
    `mean_j (R_j - R_-j) grad log p(action_j, u_j)`, where the reward baseline `R_-j` is the mean of
    the other samples' rewards: it leaves the estimate unbiased and takes most of its variance.

    Args:
        network: a Keras model from the state to log-odds of shape `(bits, 1)`.
        state: what the network reads; fixed.
        samples: actions drawn at a time, at least 2.
        start: probability of a 1 at the outset where the network says 0.
        spread: standard deviation of the shift, in log-odds.
        learning_rate: of Adam.
        seed: the same seed draws the same actions for the same rewards.

    Example:

    >>> state = np.eye(4, dtype="float32")
    >>> network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> agent = BernoulliAgent(network, state, samples=5, seed=0)
    >>> sample = agent.ask()
    >>> agent.tell(sample, rewards=sample.actions.sum(axis=1))
    >>> agent.mode().shape
    (4,)
    """

    def __init__(
        self,
        network: keras.Model,
        state: np.ndarray | list[np.ndarray],
        *,
        samples: int,
        seed: int,
        start: float = 0.9,
        spread: float = 1.0,
        learning_rate: float = 0.03,
    ) -> None:
        self.network = network
        self._state = [tf.constant(part) for part in keras.tree.flatten(state)]
        self._samples = samples
        self._spread = spread
        self._random = np.random.default_rng(seed)
        start_shift = float(np.log(start / (1 - start))) / _SHIFT_SCALE
        self._shift = tf.Variable(start_shift, dtype="float32", name="shift")
        self._variables = [*(v.value for v in network.trainable_variables), self._shift]
        self._optimizer = keras.optimizers.Adam(learning_rate)
        self._optimizer.build([*network.trainable_variables, self._shift])
        self._update = tf.function(self._update_step)

    def log_odds(self) -> np.ndarray:
        """The log-odds of each bit without noise, shape `(bits,)`."""
        return (self._logits() + self._shift * _SHIFT_SCALE).numpy()

    def mode(self) -> np.ndarray:
        """The likeliest action: float32 0 or 1, shape `(bits,)`, at least one of them 1."""
        return _never_empty((self.log_odds() > 0)[None], self.log_odds())[0]

    def ask(self) -> Sample:
        """Draws actions, each with at least one 1."""
        logits = self._logits().numpy()
        mean = float(self._shift) * _SHIFT_SCALE
        shifts = self._random.normal(mean, self._spread, self._samples).astype("float32")
        odds = np.clip(logits[None] + shifts[:, None], -30, 30)
        ones = self._random.random(odds.shape) < 1 / (1 + np.exp(-odds))
        return Sample(_never_empty(ones, logits), shifts)

    def tell(self, sample: Sample, rewards: np.ndarray) -> None:
        """One step up the gradient of the expected reward.

        Args:
            sample: what `ask` drew.
            rewards: of its actions, shape `(samples,)`.
        """
        rewards = np.asarray(rewards, "float32")
        others = (rewards.sum() - rewards) / (len(rewards) - 1)
        self._update(
            tf.constant(sample.actions), tf.constant(sample.shifts), tf.constant(rewards - others)
        )

    def state(self) -> dict[str, Any]:
        """All that changes: `variables`, a list of arrays, and `random`, plain data."""
        return {
            "variables": [
                np.array(keras.ops.convert_to_numpy(variable)) for variable in self._changing
            ],
            "random": self._random.bit_generator.state,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a state; what is drawn next is what would have been drawn."""
        for variable, value in zip(self._changing, state["variables"], strict=True):
            variable.assign(value)
        self._random.bit_generator.state = state["random"]

    @property
    def _changing(self) -> list[Any]:
        return [*self.network.variables, self._shift, *self._optimizer.variables]

    def _logits(self) -> tf.Tensor:
        """Which bits: log-odds whose mean is 0, for how many is the shift's to say."""
        logits = self.network(self._state if len(self._state) > 1 else self._state[0])[:, 0]
        return logits - tf.reduce_mean(logits)

    def _update_step(self, actions: tf.Tensor, shifts: tf.Tensor, advantages: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            odds = self._logits()[None] + shifts[:, None]  # (samples, bits)
            log_bits = -tf.nn.sigmoid_cross_entropy_with_logits(actions, odds)
            off = (shifts - self._shift * _SHIFT_SCALE) / self._spread
            log_probability = tf.reduce_sum(log_bits, axis=1) - 0.5 * off**2
            loss = -tf.reduce_mean(advantages * log_probability)
        gradients = tape.gradient(loss, self._variables)
        self._optimizer.apply(gradients)


def _never_empty(ones: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """Actions as float32; one that would be all zeros gets its likeliest bit."""
    actions = ones.astype("float32")
    empty = actions.sum(axis=1) == 0
    actions[empty, int(np.argmax(log_odds))] = 1
    return actions
