"""A search over distributions: noisy samples, a replay of the best, steps towards them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Tried:
    """A distribution and what it was worth.

    Args:
        action: shares that sum to 1, shape `(parts,)`.
        value: the return that was measured.
    """

    action: np.ndarray
    value: float


class DistributionAgent:
    """Learns a distribution `p` over parts from the returns of noisy copies of it.

    A copy is `p + N(0, (noise / parts)^2)`, brought back to a distribution. The best copies so far
    are kept, and `p` moves towards one of them: `p <- p + step (best - p)`, no entry by more than
    the factor `1 +- clip`. With probability `epsilon`, which decays, the copy is one of the kept
    at random and not the best.

    Args:
        start: the first distribution, shape `(parts,)`; any weights from 0, not all of them 0.
        seed: the same seed draws the same copies for the same returns.
        noise: standard deviation of an entry, in units of the uniform entry `1 / parts`.
        floor: no entry falls below this fraction of the uniform entry, in [0, 1).
        step: the step length, in (0, 1].
        clip: the largest relative change of an entry in one step, in (0, 1].
        epsilon: probability of a random choice, in [0, 1].
        decay: factor of `epsilon` after each choice, in [0, 1].
        replay: how many copies are kept.

    Example:

    >>> agent = DistributionAgent(np.ones(4), seed=0)
    >>> actions = agent.ask(8)
    >>> chosen = agent.tell(actions, actions[:, 0])
    >>> bool(agent.distribution[0] > 0.25)
    True

    Reference: Wang and Kindratenko, "RL-Pruner", 2024, section 3. Noise and floor are absolute
    there; in units of the uniform entry they mean the same for networks of any depth.
    """

    def __init__(
        self,
        start: np.ndarray,
        *,
        seed: int,
        noise: float = 0.5,
        floor: float = 0.1,
        step: float = 0.5,
        clip: float = 0.5,
        epsilon: float = 0.0,
        decay: float = 1.0,
        replay: int = 8,
    ) -> None:
        self._noise, self._floor = noise / len(start), floor
        self._step, self._clip = step, clip
        self._decay, self._capacity = decay, replay
        self._random = np.random.default_rng(seed)
        self.epsilon = epsilon
        self.distribution = self.proper(np.asarray(start, float))
        self.replay: list[Tried] = []
        self.chosen: Tried
        self._again: list[np.ndarray] = []

    def begin(self) -> None:
        """Begins with another network: values so far count no more.

        The distribution itself and the best copies so far are asked for once more.
        """
        self._again = [self.distribution, *self.forget()]

    def ask(self, count: int) -> np.ndarray:
        """Distributions to try, at least so many, shape `(n, parts)`."""
        actions = np.array([*self._again, *self.sample(count)])
        self._again = []
        return actions

    def tell(self, actions: np.ndarray, values: np.ndarray) -> Tried:
        """Learns from what distributions were worth.

        Args:
            actions: what was tried, `(n, parts)`.
            values: their returns, `(n,)`; more is better.

        Returns:
            The one the distribution moved to; also kept as `chosen`.
        """
        pairs = zip(actions, np.asarray(values).tolist(), strict=True)
        self.remember(Tried(action, value) for action, value in pairs)
        self.chosen = self.choose()
        self.learn(self.chosen.action)
        return self.chosen

    def noisy(self, random: np.random.Generator) -> np.ndarray:
        """One noisy copy by a random stream of the caller's, shape `(parts,)`."""
        noise = random.normal(0, self._noise, len(self.distribution))
        return self.proper(self.distribution + noise)

    def proper(self, weights: np.ndarray) -> np.ndarray:
        """Weights as a distribution that keeps to the floor; one that does stays as it is."""
        lowest = self._floor / weights.shape[-1]
        above = np.maximum(weights, lowest) - lowest
        total = above.sum(axis=-1, keepdims=True)
        above = np.where(total > 0, above, 1.0)
        return lowest + (1 - self._floor) * above / above.sum(axis=-1, keepdims=True)

    def sample(self, count: int) -> np.ndarray:
        """Noisy copies of the distribution, shape `(count, parts)`."""
        noise = self._random.normal(0, self._noise, (count, len(self.distribution)))
        return self.proper(self.distribution + noise)

    def remember(self, tried: Iterable[Tried]) -> None:
        """Adds copies to the replay, which keeps the best."""
        both = [*self.replay, *tried]
        self.replay = sorted(both, key=lambda one: -one.value)[: self._capacity]

    def forget(self) -> list[np.ndarray]:
        """Empties the replay, whose values belong to one state; returns its actions."""
        actions = [one.action for one in self.replay]
        self.replay = []
        return actions

    def choose(self) -> Tried:
        """The best of the replay, or with probability `epsilon` any of it."""
        explores = self._random.random() < self.epsilon
        number = int(self._random.integers(len(self.replay))) if explores else 0
        self.epsilon *= self._decay
        return self.replay[number]

    def learn(self, action: np.ndarray) -> None:
        """A clipped step towards an action."""
        ratio = 1 + self._step * (action / self.distribution - 1)
        bounded = np.clip(ratio, 1 - self._clip, 1 + self._clip)
        self.distribution = self.proper(self.distribution * bounded)

    def state(self) -> dict[str, Any]:
        """All that changes, as plain data."""
        return {
            "distribution": self.distribution.tolist(),
            "epsilon": self.epsilon,
            "replay": [[one.value, one.action.tolist()] for one in self.replay],
            "again": [action.tolist() for action in self._again],
            "random": self._random.bit_generator.state,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a state; what is drawn next is what would have been drawn."""
        self.distribution = np.array(state["distribution"])
        self.epsilon = state["epsilon"]
        self.replay = [Tried(np.array(action), value) for value, action in state["replay"]]
        self._again = [np.array(action) for action in state["again"]]
        self._random.bit_generator.state = state["random"]
