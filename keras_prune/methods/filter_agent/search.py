"""The agent on one group: ask, measure, tell, until no better mask is found."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_prune.agents import BernoulliAgent
from keras_prune.graph import ChannelGroup
from keras_prune.methods.filter_agent.config import FilterAgentConfig
from keras_prune.methods.filter_agent.policy import build_policy, policy_state
from keras_prune.methods.filter_agent.reward import reward
from keras_prune.rollouts.base import Evaluator
from keras_prune.training.objective import Objective

Row = dict[str, Any]

_MEMORY = 0.7  # of the smoothed mean reward


@dataclass
class Choice:
    """The best mask of a group so far.

    Args:
        mask: float32, 1 = keep, shape `(channels,)`; all ones until something better is found.
        reward: its reward; 0 for keeping all.
        log_odds: the policy's last word on every channel, shape `(channels,)`.
    """

    mask: np.ndarray
    reward: float = 0.0
    log_odds: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def kept(self) -> int:
        """How many channels stay."""
        return int(self.mask.sum())


class GroupSearch:
    """Huang et al. (2018), section 3, on one channel group.

    Args:
        group: the group to decide.
        evaluator: measures the network under masks on the group.
        objective: what a value is worth.
        slack: by how much the network is better now than the original was, on all validation data;
            0 if it is worse.
        config: the agent.
        seed: of policy and samples.

    Attributes:
        choice: the best mask so far. Nothing is pruned while no mask has a positive reward.
    """

    def __init__(
        self,
        group: ChannelGroup,
        evaluator: Evaluator,
        objective: Objective,
        *,
        slack: float,
        config: FilterAgentConfig,
        seed: int,
    ) -> None:
        self._group = group
        self._evaluator = evaluator
        self._objective = objective
        self._slack = slack
        self._config = config
        state = policy_state(group)
        self._agent = BernoulliAgent(
            build_policy(state, seed),
            state,
            samples=config.samples,
            learning_rate=config.learning_rate,
            seed=seed,
        )
        self.choice = Choice(np.ones(group.channels, "float32"))
        [unpruned] = self._gains(self.choice.mask[None])
        self._tolerated = unpruned - slack  # a mask that is as good as this has dropped nothing
        self._smooth = self._best_smooth = -np.inf
        self._improved = 0

    def run(self) -> Iterator[Row]:
        """Updates until convergence; yields a row of figures after each."""
        number = 0
        while number < self.last_update:
            number += 1
            row = self._update(number)
            self._watch_convergence(number, row["reward"])
            yield row
        self._rewards(self._agent.mode()[None])
        self.choice.log_odds = self._agent.log_odds()

    @property
    def last_update(self) -> int:
        """The update at which the search ends unless the policy improves before."""
        return min(self._improved + self._config.patience, self._config.max_updates)

    def _watch_convergence(self, number: int, mean: float) -> None:
        """The policy is judged by its smoothed mean reward; a best reward may be mere luck."""
        first = not np.isfinite(self._smooth)
        self._smooth = mean if first else _MEMORY * self._smooth + (1 - _MEMORY) * mean
        if self._smooth > self._best_smooth:
            self._best_smooth, self._improved = self._smooth, number

    def _update(self, number: int) -> Row:
        """One update of REINFORCE."""
        sample = self._agent.ask()
        rewards = self._rewards(sample.actions)
        self._agent.tell(sample, np.array(rewards))
        return {
            "group": self._group.name,
            "update": number,
            "slack": self._slack,
            "reward": float(np.mean(rewards)),
            "best_reward": self.choice.reward,
            "kept": float(sample.actions.sum(axis=1).mean()),
            "best_kept": self.choice.kept,
            "channels": self._group.channels,
        }

    def _rewards(self, masks: np.ndarray) -> list[float]:
        """The rewards of masks `(n, channels)`; the best mask ever, the first of equals, is kept.

        A reward is measured on few examples: only the *difference* a mask makes on them is trusted.
        """
        found = []
        for mask, gain in zip(masks, self._gains(masks), strict=True):
            drop = self._tolerated - gain
            found.append(reward(drop, self._config.b, int(mask.sum()), self._group.channels))
            if found[-1] > self.choice.reward:
                self.choice = Choice(mask, found[-1])
        return found

    def _gains(self, masks: np.ndarray) -> list[float]:
        """The objective under each mask, turned so that more is better."""
        return [self._objective.gain(value) for value in self._evaluator.evaluate(masks).tolist()]
