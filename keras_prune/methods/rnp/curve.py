"""Accuracy against multiplications: prices and balances, and what does without an agent."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pandas as pd

from keras_prune import criteria
from keras_prune.budgets import Budget
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp.alternation import Alternation
from keras_prune.methods.rnp.config import RNPRecipe
from keras_prune.methods.rnp.decisions import Decisions
from keras_prune.methods.rnp.judging import Judge, Judged
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
        alternation: what trained it.
        decisions: what is decided.
    """

    def __init__(
        self, recipe: RNPRecipe, run: PruningRun, alternation: Alternation, decisions: Decisions
    ) -> None:
        self._recipe, self._run, self._alternation = recipe, run, alternation
        self._judge = Judge(decisions, alternation.network)
        self._test = run.splits.test_arrays()
        self._random = np.random.default_rng(recipe.common.seed)

    def frame(self) -> pd.DataFrame:
        """Columns `kind`, `value` (balance or price), `multiplications`, `accuracy` in percent."""
        balances = [round(-value * self._recipe.prune.price, 6) for value in BALANCES]
        judged = {value: self._judge.greedy(*self._test, value) for value in balances}
        rows = [
            *(self._row("balance", value, found) for value, found in judged.items()),
            *(self._row("random", value, self._dealt(found)) for value, found in judged.items()),
        ]
        for value in STATIC:
            balance = round(-value * self._recipe.prune.price, 6)
            rows.append(self._static(balance, self._share(judged[balance])))
        return pd.DataFrame([*rows, *self._prices()])

    def _share(self, judged: Judged) -> float:
        return self._alternation.costs.share(judged.actions)

    def _row(self, kind: str, value: float, judged: Judged) -> Row:
        return _row(kind, value, self._share(judged), judged.accuracy)

    def _dealt(self, judged: Judged) -> Judged:
        return self._judge.forced(*self._test, self._random.permutation(judged.actions))

    def _static(self, balance: float, share: float) -> Row:
        """A network that gives every image the same."""
        recipe, graph = self._recipe, ChannelGraph(self._run.original)
        scores = criteria.get(recipe.prune.criterion)(
            graph, self._run.splits.training_sample(recipe.prune.images)
        )
        with warnings.catch_warnings():  # of a budget not used up: what is reached is reported
            warnings.simplefilter("ignore", UserWarning)
            plan = Budget(macs=min(share, 1.0), scope="local").allocate(graph, scores)
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
