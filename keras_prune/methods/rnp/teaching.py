"""Training the agent on a frozen backbone."""

from __future__ import annotations

from collections.abc import Iterator

import keras

from keras_prune.agents import QLearner
from keras_prune.methods.rnp.config import RNPConfig
from keras_prune.methods.rnp.costs import Costs
from keras_prune.methods.rnp.episodes import Episodes, Played
from keras_prune.methods.rnp.network import DecisionNetwork
from keras_prune.training.fit import Row


class Teaching:
    """Trains a decision network by Q-learning on the episodes it plays.

    Args:
        network: what is trained.
        episodes: where it plays.
        costs: what actions cost, for the history.
        config: how it learns.
        alpha: what the classification loss counts in the reward.
        seed: draws from the replay memory.
    """

    def __init__(
        self,
        network: DecisionNetwork,
        episodes: Episodes,
        costs: Costs,
        config: RNPConfig,
        *,
        alpha: float,
        seed: int,
    ) -> None:
        self._episodes, self._costs, self._config, self._alpha = episodes, costs, config, alpha
        self._learner = QLearner(
            network,
            seed=seed,
            learning_rate=config.learning_rate,
            gamma=config.gamma,
            tau=config.tau,
        )
        self._epsilon = keras.optimizers.schedules.PolynomialDecay(
            1.0, config.episodes, config.epsilon
        )

    def run(self) -> Iterator[Row]:
        """Plays and learns.

        Yields:
            After every batch of episodes: `episode` (from 1), `epsilon`, the mean `reward` of an
            episode, its `loss`, the share of the `multiplications`, and `q_loss`.
        """
        for number in range(self._config.episodes):
            epsilon = float(self._epsilon(number))
            played = self._episodes.play(epsilon)
            yield {"episode": number + 1, "epsilon": epsilon, **self._learn(played)}

    def _learn(self, played: Played) -> Row:
        rewards = played.rewards(self._config.price, self._alpha)
        self._learner.remember(played.states, played.actions, rewards)
        losses = [self._learner.learn() for _ in range(self._config.updates)]
        return {
            "reward": float(rewards.sum(axis=1).mean()),
            "loss": float(played.losses.mean()),
            "multiplications": self._costs.share(played.actions),
            "q_loss": sum(losses) / len(losses),
        }
