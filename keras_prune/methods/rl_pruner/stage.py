"""One stage of the search: try noisy distributions, remember the best, move towards them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from keras_prune.agents import DistributionAgent, Tried
from keras_prune.methods.rl_pruner.environment import Step

Row = dict[str, Any]


class Environment(Protocol):
    """What is searched: a `PruningEnvironment`, or the `gymnasium.Env` around one."""

    def reset(self) -> tuple[np.ndarray, dict[str, Any]]:
        """Brings all channels back."""

    def step(self, action: np.ndarray) -> Step:
        """Lets channels leave until the next budget is met."""


@dataclass
class StageSearch:
    """Wang and Kindratenko (2024), section 3, on one state of the network.

    Args:
        environment: the state; its episodes are as long as a sample looks ahead.
        agent: the distribution, which the search moves.
        rounds: updates of the distribution.
        samples: distributions tried for each.
        discount: of a reward against the one before.
        tried: called after every sample.

    Attributes:
        chosen: the sample whose first step is to be taken.
    """

    environment: Environment
    agent: DistributionAgent
    rounds: int
    samples: int
    discount: float
    tried: Callable[[Tried], None] = lambda tried: None
    chosen: Tried = field(init=False)

    def run(self) -> Iterator[Row]:
        """Updates the distribution round by round; yields a row of figures after each.

        What was best in the stage before, and the distribution itself, compete once more: their
        values belonged to another network.
        """
        first = [self.agent.distribution, *self.agent.forget()]
        for number in range(1, self.rounds + 1):
            actions = [*first, *self.agent.sample(self.samples)]
            results = [self._try(action) for action in actions]
            self.agent.remember(results)
            self.chosen = self.agent.choose()
            self.agent.learn(self.chosen.action)
            yield self._row(number, results)
            first = []

    def _try(self, action: np.ndarray) -> Tried:
        """An episode that begins with an action, its rewards discounted by their depth.

        The return is the weighted mean of the rewards, so that it stays in percentage points.
        """
        self.environment.reset()
        total = weights = 0.0
        weight, ended, now = 1.0, False, action
        while not ended:
            _, reward, ended, _, _ = self.environment.step(now)
            total, weights = total + weight * reward, weights + weight
            weight *= self.discount
            if not ended:
                now = self.agent.sample(1)[0]
        result = Tried(action, total / weights)
        self.tried(result)
        return result

    def _row(self, number: int, results: list[Tried]) -> Row:
        values = [one.value for one in results]
        return {
            "round": number,
            "samples": len(values),
            "unmoved_return": values[0] if number == 1 else None,
            "mean_return": float(np.mean(values)),
            "best_return": self.agent.replay[0].value,
            "chosen_return": self.chosen.value,
        }
