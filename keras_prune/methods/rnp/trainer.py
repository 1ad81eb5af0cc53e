"""Training the agent on a frozen backbone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from keras_prune.agents.q_learning import QLearner
from keras_prune.methods.rnp.config import RNPConfig
from keras_prune.methods.rnp.costs import Costs
from keras_prune.methods.rnp.episodes import Episodes, Played
from keras_prune.methods.rnp.network import DecisionNetwork
from keras_prune.training.checkpoint import Row

_TRIAL = 4
"""Batches of random episodes that alpha and the scale of the states are taken from."""


@dataclass(frozen=True)
class AgentTrainer:
    """Trains a decision network by Q-learning on the episodes it plays.

    Args:
        network: what is trained.
        episodes: where it plays.
        costs: what actions cost, for the history.
        config: how it learns.
        seed: draws from the replay memory.
    """

    network: DecisionNetwork
    episodes: Episodes
    costs: Costs
    config: RNPConfig
    seed: int

    def prepare(self, adapt: bool) -> float:
        """Plays at random, to learn what losses and states are like.

        Args:
            adapt: whether the network takes the scale of the states from these episodes.

        Returns:
            What the classification loss is to count in the rewards, `alpha`.
        """
        trial = [self.episodes.play(1.0) for _ in range(_TRIAL)]
        if adapt:
            self.network.adapt(_states(trial))
        return self.config.alpha or 1 / float(np.mean([played.losses for played in trial]))

    def run(self, alpha: float) -> Iterator[Row]:
        """Plays and learns.

        Args:
            alpha: what the classification loss counts in the rewards.

        Yields:
            After every batch of episodes: `episode` (from 1), `epsilon`, the mean `reward` of an
            episode, its `loss`, the share of the `multiplications`, and `q_loss`.
        """
        config = self.config
        learner = QLearner(
            self.network,
            seed=self.seed,
            learning_rate=config.learning_rate,
            gamma=config.gamma,
            tau=config.tau,
        )
        decay = keras.optimizers.schedules.PolynomialDecay(1.0, config.episodes, config.epsilon)
        for number in range(config.episodes):
            epsilon = float(decay(number))
            played = self.episodes.play(epsilon)
            rewards = played.rewards(config.price, alpha)
            q_loss = learner.tell(played.states, played.actions, rewards, config.updates)
            yield {
                "episode": number + 1,
                "epsilon": epsilon,
                "reward": float(rewards.sum(axis=1).mean()),
                "loss": float(played.losses.mean()),
                "multiplications": self.costs.share(played.actions),
                "q_loss": q_loss,
            }


def _states(trial: Sequence[Played]) -> list[np.ndarray]:
    return [np.concatenate(parts) for parts in zip(*(p.states for p in trial), strict=True)]
