"""Accuracy against multiplications: prices and balances, and what does without an agent."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pandas as pd

from keras_prune.budgets import Budget
from keras_prune.graph import ChannelGraph
from keras_prune.methods.context import Context
from keras_prune.methods.rnp.config import RNPConfig
from keras_prune.methods.rnp.costs import Costs
from keras_prune.methods.rnp.decisions import Decisions
from keras_prune.methods.rnp.episodes import generator, validation_episodes
from keras_prune.methods.rnp.evaluator import DecisionEvaluator, Evaluated
from keras_prune.methods.rnp.network import DecisionNetwork
from keras_prune.methods.rnp.trainer import AgentTrainer
from keras_prune.profiling import profile
from keras_prune.surgery import prune_graph
from keras_prune.training import TrainingConfig

BALANCES = (-1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0)
"""Of one trained agent, in units of the price's size."""

PRICES = (0.5, 2.0)
"""Of further agents, in units of the price."""

STATIC = (-0.5, 0.0, 0.5)
"""The balances whose multiplications a static network is given, too."""

Row = dict[str, Any]


class Curve:
    """Points of accuracy over multiplications.

    - `balance`: the trained agent under several balances.
    - `price`: agents trained anew under other prices, on the same backbone.
    - `random`: the actions of each balance, dealt to other images at random: the same work, but not
      where the agent would have put it.
    - `static`: the original, narrowed by the same share in all layers to the same multiplications,
      and fine-tuned for as many steps as the backbone was.

    Args:
        context: the run that made the backbone.
        config: how the decisions were learned.
        recovery: how the backbone was fine-tuned in each step.
        decisions: what is decided.
        network: what decides; it is not changed.
        images: what accuracy is measured on.
        labels: their classes, `(images,)`.
        random: where the stream of episodes stands, as `Generator.bit_generator.state` has it.
    """

    def __init__(
        self,
        context: Context,
        config: RNPConfig,
        recovery: TrainingConfig,
        decisions: Decisions,
        network: DecisionNetwork,
        images: np.ndarray,
        labels: np.ndarray,
        random: Mapping[str, Any],
    ) -> None:
        self._context, self._config, self._recovery = context, config, recovery
        self._decisions, self._network = decisions, _twin(network)
        self._examples = images, labels
        self._costs = Costs(decisions, network.macs)
        self._evaluator = DecisionEvaluator(decisions, self._network)
        self._random = np.random.default_rng(context.seed)
        self._episodes = generator(random)

    def frame(self) -> pd.DataFrame:
        """Columns `kind`, `value` (balance or price), `multiplications`, `accuracy` in percent."""
        found = {v: self._evaluator.greedy(*self._examples, v) for v in self._balances(BALANCES)}
        rows = [
            *(self._row("balance", value, each) for value, each in found.items()),
            *(self._row("random", value, self._dealt(each)) for value, each in found.items()),
            *(self._static(v, self._share(found[v])) for v in self._balances(STATIC)),
            *self._prices(),
        ]
        return pd.DataFrame(rows)

    def _balances(self, values: Sequence[float]) -> list[float]:
        return [round(-value * self._config.price, 6) for value in values]

    def _share(self, found: Evaluated) -> float:
        return self._costs.share(found.actions)

    def _row(self, kind: str, value: float, found: Evaluated) -> Row:
        return _row(kind, value, self._share(found), found.accuracy)

    def _dealt(self, found: Evaluated) -> Evaluated:
        return self._evaluator.forced(*self._examples, self._random.permutation(found.actions))

    def _static(self, balance: float, share: float) -> Row:
        """A network that gives every image the same."""
        context, config = self._context, self._config
        graph = ChannelGraph(context.model)
        scores = context.scores(graph, config.criterion, config.calibration_images).require_all()
        with warnings.catch_warnings():  # of a budget not used up: what is reached is reported
            warnings.simplefilter("ignore", UserWarning)
            plan = Budget(macs=min(share, 1.0), scope="local").allocate(graph, scores)
        small = prune_graph(graph, plan)
        as_long = replace(self._recovery, epochs=self._recovery.epochs * config.steps)
        context.fit(small, as_long, f"static network of {100 * share:.1f} %")
        reached = _multiplications(small) / _multiplications(context.model)
        return _row("static", balance, reached, _accuracy(small, *self._examples))

    def _prices(self) -> Iterator[Row]:
        """Each agent goes on from the one before."""
        context = self._context
        episodes = validation_episodes(context, self._decisions, self._network, self._episodes)
        for factor in PRICES:
            price = factor * self._config.price
            config = replace(self._config, price=price)
            trainer = AgentTrainer(self._network, episodes, self._costs, config, context.seed)
            for row in trainer.run(trainer.prepare(adapt=False)):
                context.progress(f"agent, price {price:g}", int(row["episode"]), config.episodes)
            yield self._row("price", price, self._evaluator.greedy(*self._examples))


def _twin(network: DecisionNetwork) -> DecisionNetwork:
    twin = DecisionNetwork.from_config(network.get_config())
    twin.set_weights(network.get_weights())
    return twin


def _multiplications(model: keras.Model) -> int:
    return profile(model, convention="rnp").total.macs


def _accuracy(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    return 100 * float(np.mean(model.predict(images, verbose=0).argmax(axis=-1) == labels))


def _row(kind: str, value: float, share: float, accuracy: float) -> Row:
    return {"kind": kind, "value": value, "multiplications": 100 * share, "accuracy": accuracy}
