"""Accuracy against multiplications: prices and balances, and what does without an agent."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pandas as pd

from keras_prune.budgets import Budget
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp.config import RNPRecipe
from keras_prune.methods.rnp.judging import Judged
from keras_prune.methods.rnp.learned import Learned
from keras_prune.methods.run import PruningRun
from keras_prune.profiling import profile
from keras_prune.surgery import prune_graph
from keras_prune.training import evaluate

BALANCES = (-1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0)
"""Of one trained agent, in units of the price's size."""

PRICES = (0.5, 2.0)
"""Of further agents, in units of the price."""

STATIC = (-0.5, 0.0, 0.5)
"""The balances whose multiplications a static network is given, too."""

Row = dict[str, Any]


class Curve:
    """Points of accuracy over multiplications on the test split.

    - `balance`: the trained agent under several balances.
    - `price`: agents trained anew under other prices, on the same backbone.
    - `random`: the actions of each balance, dealt to other images at random: the same work, but not
      where the agent would have put it.
    - `static`: the original, narrowed by the same share in all layers to the same multiplications,
      and fine-tuned for as many steps as the backbone was.

    Args:
        recipe: the whole configuration.
        run: the run that made the backbone; nothing is left to do in it, for other agents are
            trained in the place of its own.
        learned: what it has come to.
    """

    def __init__(self, recipe: RNPRecipe, run: PruningRun, learned: Learned) -> None:
        self._recipe, self._run, self._learned = recipe, run, learned
        self._alternation, self._judge = learned.alternation, learned.judge
        self._test = run.splits.test_arrays()
        self._random = np.random.default_rng(recipe.common.seed)

    def frame(self) -> pd.DataFrame:
        """Columns `kind`, `value` (balance or price), `multiplications`, `accuracy` in percent."""
        judged = {v: self._judge.greedy(*self._test, v) for v in self._balances(BALANCES)}
        rows = [
            *(self._row("balance", value, found) for value, found in judged.items()),
            *(self._row("random", value, self._dealt(found)) for value, found in judged.items()),
            *(self._static(v, self._share(judged[v])) for v in self._balances(STATIC)),
            *self._prices(),
        ]
        return pd.DataFrame(rows)

    def _balances(self, values: Sequence[float]) -> list[float]:
        return [round(-value * self._recipe.prune.price, 6) for value in values]

    def _share(self, judged: Judged) -> float:
        return self._alternation.costs.share(judged.actions)

    def _row(self, kind: str, value: float, judged: Judged) -> Row:
        return _row(kind, value, self._share(judged), judged.accuracy)

    def _dealt(self, judged: Judged) -> Judged:
        return self._judge.forced(*self._test, self._random.permutation(judged.actions))

    def _static(self, balance: float, share: float) -> Row:
        """A network that gives every image the same."""
        recipe, graph = self._recipe, ChannelGraph(self._run.original)
        with warnings.catch_warnings():  # of a budget not used up: what is reached is reported
            warnings.simplefilter("ignore", UserWarning)
            plan = Budget(macs=min(share, 1.0), scope="local").allocate(graph, self._learned.scores)
        small = prune_graph(graph, plan)
        as_long = replace(recipe.finetune, epochs=recipe.finetune.epochs * recipe.prune.rounds)
        self._run.fit(small, as_long, f"static network of {100 * share:.1f} %")
        reached = _multiplications(small) / _multiplications(self._run.original)
        return _row("static", balance, reached, evaluate(small, self._run.splits.test).accuracy)

    def _prices(self) -> Iterator[Row]:
        for number, factor in enumerate(PRICES):
            price = factor * self._recipe.prune.price
            config = replace(self._recipe.prune, price=price)
            self._alternation.teach(config, self._recipe.prune.rounds + 1 + number)
            yield self._row("price", price, self._judge.greedy(*self._test))


def _multiplications(model: keras.Model) -> int:
    return profile(model, convention="rnp").total.macs


def _row(kind: str, value: float, share: float, accuracy: float) -> Row:
    return {"kind": kind, "value": value, "multiplications": 100 * share, "accuracy": accuracy}
