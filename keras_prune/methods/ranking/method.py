"""Score, cut, recover, and again until the budget is reached."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import keras
import numpy as np

from keras_prune import criteria
from keras_prune.budgets import Budget
from keras_prune.budgets.limits import Limits, bound, keep_all
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from keras_prune.graph.blocks import left_with
from keras_prune.methods.base import Method, Outcome
from keras_prune.methods.context import Context
from keras_prune.methods.ranking.config import RankingConfig
from keras_prune.methods.state import Pruned, RunState
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.scores import ChannelScores
from keras_prune.surgery import prune_graph
from keras_prune.training import Task

_SCORES = "scores.json"
"""Of the original network: for other budgets (`RankingConfig.scores`)."""


class Ranking(Method):
    """Prunes to a budget the channels that a criterion ranks lowest.

    A step scores the channels anew and cuts; a recovery follows each but the last. Every option of
    `RankingConfig` is an argument.

    Example:

    >>> Ranking(macs=0.5, criterion="l1", steps=2).config.steps
    2

    Reference: Molchanov et al., "Pruning Convolutional Neural Networks for Resource Efficient
    Inference", ICLR 2017, section 2.
    """

    name: ClassVar[str] = "ranking"
    Config: ClassVar[type] = RankingConfig
    config: RankingConfig

    def _check_config(self) -> None:
        criteria.get(self.config.criterion)
        self.config.budget  # noqa: B018  # which checks itself
        if self.config.scores is not None and self.sparse_training is not None:
            raise ConfigError(
                "scores and sparse_training contradict: the training changes the weights that the "
                "scores are of. Leave one out."
            )

    def check(self, model: keras.Model, task: Task | None) -> None:
        """Refuses a budget that is met already or cannot be met, and scores of another network.

        A ratio and a latency go as far as they can.
        """
        budget, graph = self.config.budget, ChannelGraph(model)
        budget.check(graph)
        if budget.kind in ("macs", "params"):
            budget.require_reachable(graph)
        if self.config.scores is not None:
            scores = ChannelScores.load(self.config.scores)
            scores.check(graph.fingerprint, model.name)
            budget.require_scored(graph, scores.unscored)
            return
        criterion = criteria.get(self.config.criterion)
        if isinstance(criterion, criteria.Criterion):
            budget.require_scored(graph, criterion.unscored(graph))

    def step(self, context: Context, state: RunState) -> RunState:
        """One more scoring and cut, and the recovery if another is to follow."""
        config = self.config
        budgets = config.budget.steps(config.steps, ChannelGraph(context.model))
        number = state.step + 1
        graph = ChannelGraph(state.model)
        if state.plan.kept and budgets[state.step].met_by(graph):  # a cut went further than asked
            return replace(state, step=number, done=number == config.steps)
        if state.plan.kept and not _can_cut(budgets[state.step], graph):
            missed = (
                f"The budget {budgets[-1]} cannot be met: {bound(budgets[-1], graph)} let no more "
                "channels leave."
            )
            return replace(state, step=config.steps, done=True, extra={"budget": (missed,)})
        scores = self._scores(context, graph)
        if context.directory is not None and number == 1 and self.sparse_training is None:
            scores.save(context.directory / _SCORES)
        cut, notes = self._allocated(context, budgets[state.step], graph, scores)
        model, plan = prune_graph(graph, cut), state.plan.then(cut)
        value = context.value_of_cut(model, config.recalibration_images)
        row = _row(number, model, plan, left_with(graph, cut.blocks)) | {"pruned_value": value}
        context.track("network", {name: float(value) for name, value in row.items()})
        if any(_can_cut(budget, ChannelGraph(model)) for budget in budgets[number:]):
            context.fit(model, self.recovery, f"recover {number}/{config.steps}")
        return replace(
            state,
            now=Pruned(model, plan, value),
            step=number,
            done=number == config.steps,
            history=(*state.history, row),
            extra={"budget": notes},  # of the last cut: only there they matter
            untouched=scores.unscored,
        )

    def _allocated(
        self, context: Context, budget: Budget, graph: ChannelGraph, scores: ChannelScores
    ) -> tuple[PruningPlan, tuple[str, ...]]:
        """The cut, and what the budget says about it."""
        images = self.config.calibration_images
        value = _Measured(context, graph, images) if budget.depth else None
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            cut = budget.allocate(graph, scores, value)
        left = (f"Residual blocks that left: {', '.join(cut.blocks)}.",) if cut.blocks else ()
        return cut, (*left, *(str(warning.message) for warning in told))

    def _scores(self, context: Context, graph: ChannelGraph) -> ChannelScores:
        if self.config.scores is not None:
            return ChannelScores.load(self.config.scores)
        return context.scores(graph, self.config.criterion, self.config.calibration_images)

    def finish(self, context: Context, state: RunState) -> Outcome:
        """The network after the last training."""
        model, plan = state.model, state.plan
        context.warn_before_training(state.now)
        context.fit(model, self.finetune, "fine-tune", validate=True)
        pruned = Pruned(model, plan, context.value(model))
        notes = (*state.notes, *state.extra.get("budget", ()))
        return Outcome(pruned, notes, {**_untouched(plan), **state.untouched})


def _can_cut(budget: Budget, graph: ChannelGraph) -> bool:
    """Whether a budget asks for more, and its limits let more leave."""
    levels = Limits.of(budget).levels(graph, budget.origin or graph)
    return not keep_all(levels, graph) and not budget.met_by(graph)


class _Measured:
    """What plans for a network are worth on validation examples; nothing is rebuilt."""

    def __init__(self, context: Context, graph: ChannelGraph, images: int) -> None:
        self._objective = context.objective
        self._parts = [graph.removable(name) for name in (*graph.groups, *graph.blocks)]
        self._evaluator = context.evaluator(graph, self._parts, images)

    def __call__(self, plan: PruningPlan) -> float:
        masks = np.concatenate([plan.mask(part) for part in self._parts])
        [value] = self._evaluator.evaluate(masks.astype("float32")).tolist()
        return self._objective.gain(value)


def _row(
    number: int, model: keras.Model, plan: PruningPlan, gone: Collection[str]
) -> dict[str, Any]:
    cost = profile(model).total
    here = {name: count for name, count in plan.channels.items() if name not in gone}
    channels = sum(len(plan.kept.get(name, range(count))) for name, count in here.items())
    return {
        "step": number,
        "channels": channels,
        "parameters": cost.parameters,
        "macs": cost.macs,
    }


def _untouched(plan: PruningPlan) -> Mapping[str, str]:
    whole = (name for name, kept in plan.kept.items() if len(kept) == plan.channels[name])
    return dict.fromkeys(whole, "none of its channels ranked low enough, or it was excluded")
