"""Backbone and agent trained in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_prune.data import Splits
from keras_prune.methods.rnp.config import RNPConfig
from keras_prune.methods.rnp.costs import Costs
from keras_prune.methods.rnp.decisions import Decisions
from keras_prune.methods.rnp.episodes import Episodes, Played
from keras_prune.methods.rnp.finetuning import FineTuning
from keras_prune.methods.rnp.network import DecisionNetwork
from keras_prune.methods.rnp.teaching import Teaching
from keras_prune.progress import Progress, Watcher
from keras_prune.training import CommonConfig, TrainingConfig
from keras_prune.training.fit import Row

_TRIAL = 4
"""Batches of random episodes that alpha and the scale of the states are taken from."""


class Alternation:
    """Fine-tunes the backbone under the agent's actions, then trains the agent, round by round.

    No agent is trained before the first round: its actions are random. Otherwise the agent would
    learn on a backbone that is good for nothing but full width. Episodes are played on validation
    images, for the losses on training images are those of a network that has seen them.

    Args:
        decisions: what is decided; its graph's model is trained in place.
        splits: the data.
        common: what every stage shares.
        finetune: how the backbone is trained in a round.
        config: how the agent is.
        watcher: told of every step.
        recording: stage -> the callbacks that record its fine-tuning.
        on_finetuned: told the epochs of each fine-tuning.
        on_episodes: told of every batch of episodes.

    Attributes:
        network: the agent's network.
        costs: what actions cost.
        alpha: what the loss counted in the last round's rewards.
        history: a row per batch of episodes.
    """

    def __init__(
        self,
        decisions: Decisions,
        splits: Splits,
        common: CommonConfig,
        finetune: TrainingConfig,
        config: RNPConfig,
        *,
        watcher: Watcher,
        recording: Callable[[str], Sequence[keras.callbacks.Callback]],
        on_finetuned: Callable[[str, Sequence[Row]], None],
        on_episodes: Callable[[Row], None],
    ) -> None:
        keras.utils.set_random_seed(common.seed)
        states = [step.state for step in decisions.steps]
        self.network = DecisionNetwork(states, config.sets, config.code, config.units)
        self.costs = Costs(decisions, self.network.macs)
        self.history: list[Mapping[str, Any]] = []
        self.alpha = 0.0
        self._config, self._seed, self._watcher = config, common.seed, watcher
        self._recording = recording
        self._on_finetuned, self._on_episodes = on_finetuned, on_episodes
        shared: dict[str, Any] = {"precision": common.precision, "seed": common.seed}
        self._tuning = FineTuning(
            decisions, self.network, splits, finetune,
            rounds=config.rounds, full=config.full, watcher=watcher, **shared,
        )  # fmt: skip
        self._episodes = Episodes(
            decisions, self.network, *splits.validation_arrays(),
            batch_size=common.batch_size, **shared,
        )  # fmt: skip

    def run(self) -> None:
        """All rounds."""
        for number in range(1, self._config.rounds + 1):
            stage = f"fine-tune, round {number}"
            epsilon = 1.0 if number == 1 else self._config.epsilon
            rows = self._tuning.run(stage, epsilon, self._recording(stage))
            self._on_finetuned(stage, rows)
            self.teach(self._config, number)

    def teach(self, config: RNPConfig, number: int) -> None:
        """Trains the agent on the backbone as it is.

        Args:
            config: how.
            number: of the round.
        """
        trial = [self._episodes.play(1.0) for _ in range(_TRIAL)]
        if not self.history:
            self.network.adapt(_states(trial))
        self.alpha = config.alpha or 1 / float(np.mean([played.losses for played in trial]))
        teaching = Teaching(
            self.network, self._episodes, self.costs, config, alpha=self.alpha, seed=self._seed
        )
        for row in teaching.run():
            self.history.append({"round": number, **row})
            self._on_episodes(row)
            shown = {name: row[name] for name in ("reward", "multiplications", "q_loss")}
            episode = int(row["episode"])
            stage = f"agent, round {number}"
            self._watcher(Progress(stage, episode, config.episodes, shown))


def _states(trial: list[Played]) -> list[np.ndarray]:
    return [np.concatenate(parts) for parts in zip(*(p.states for p in trial), strict=True)]
