"""The agent on one group: sample, measure, learn, until no better mask is found."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_prune.agents import BernoulliAgent
from keras_prune.graph import ChannelGraph, ChannelGroup
from keras_prune.methods.filter_agent.config import FilterAgentConfig
from keras_prune.methods.filter_agent.policy import build_policy, policy_state
from keras_prune.methods.filter_agent.reward import reward
from keras_prune.methods.rollouts import Rollouts

Row = dict[str, Any]

_MEMORY = 0.7  # of the smoothed mean reward


@dataclass
class Choice:
    """The best mask of a group so far.

    Args:
        mask: float32, 1 = keep, shape `(channels,)`; all ones until something better is found.
        reward: its reward; 0 for keeping all.
        drop: its accuracy drop without fine-tuning, in percentage points.
        log_odds: the policy's last word on every channel, shape `(channels,)`.
    """

    mask: np.ndarray
    reward: float = 0.0
    drop: float = 0.0
    log_odds: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def kept(self) -> int:
        """How many channels stay."""
        return int(self.mask.sum())


class GroupSearch:
    """Huang et al. (2018), section 3, on one channel group.

    Args:
        graph: the walked network.
        group: the group to decide.
        images: validation images a reward is measured on.
        labels: their classes.
        slack: by how many percentage points the network is better now than the original was, on
            the whole validation split; 0 if it is worse.
        config: the agent.
        seed: of policy and samples.
        precision: of the rollouts.

    Attributes:
        choice: the best mask so far. Nothing is pruned while no mask has a positive reward.
    """

    def __init__(
        self,
        graph: ChannelGraph,
        group: ChannelGroup,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        slack: float,
        config: FilterAgentConfig,
        seed: int,
        precision: str = "float32",
    ) -> None:
        self._group = group
        self._config = config
        self._rollouts = Rollouts(graph, [group], images, labels, precision)
        state = policy_state(group)
        self._slack = slack
        self._unpruned = self._rollouts.accuracy(np.ones(group.channels)) - slack
        self._agent = BernoulliAgent(
            build_policy(state, seed),
            state,
            samples=config.samples,
            learning_rate=config.learning_rate,
            seed=seed,
        )
        self.choice = Choice(np.ones(group.channels, "float32"))
        self._smooth = self._best_smooth = -np.inf
        self._improved = 0

    def run(self) -> Iterator[Row]:
        """Steps until convergence; yields a row of figures after each."""
        step = 0
        while step < self.last_step:
            step += 1
            row = self._step(step)
            self._watch_convergence(step, row["reward"])
            yield row
        self._try(self._agent.mode())
        self.choice.log_odds = self._agent.log_odds()

    @property
    def last_step(self) -> int:
        """The step at which the search ends unless the policy improves before."""
        return min(self._improved + self._config.patience, self._config.max_steps)

    def _watch_convergence(self, step: int, mean: float) -> None:
        """The policy is judged by its smoothed mean reward; a best reward may be mere luck."""
        first = not np.isfinite(self._smooth)
        self._smooth = mean if first else _MEMORY * self._smooth + (1 - _MEMORY) * mean
        if self._smooth > self._best_smooth:
            self._best_smooth, self._improved = self._smooth, step

    def _step(self, step: int) -> Row:
        """One step of REINFORCE: draw masks, measure them, learn."""
        sample = self._agent.sample()
        rewards = [self._try(action) for action in sample.actions]
        self._agent.learn(sample, np.array(rewards))
        return {
            "group": self._group.name,
            "step": step,
            "slack": self._slack,
            "reward": float(np.mean(rewards)),
            "best_reward": self.choice.reward,
            "kept": float(sample.actions.sum(axis=1).mean()),
            "best_kept": self.choice.kept,
            "channels": self._group.channels,
        }

    def _try(self, mask: np.ndarray) -> float:
        """The reward of a mask, remembered if it is the best.

        The images are few: only the *difference* a mask makes on them is trusted.
        """
        drop = self._unpruned - self._rollouts.accuracy(mask)
        found = reward(drop, self._config.b, int(mask.sum()), self._group.channels)
        if found > self.choice.reward:
            self.choice = Choice(mask, found, drop)
        return found
