"""Score, cut, recover, and again until the budget is reached."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import keras

from keras_prune import criteria
from keras_prune.budgets import Budget
from keras_prune.budgets.limits import Limits, bound
from keras_prune.graph import ChannelGraph
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

    def check(self, model: keras.Model, task: Task | None) -> None:
        """Refuses a budget that is met already or cannot be met, and scores of another network.

        A ratio and a latency go as far as they can.
        """
        budget, graph = self.config.budget, ChannelGraph(model)
        budget.check(graph)
        if budget.kind in ("macs", "params"):
            budget.require_reachable(graph)
        if self.config.scores is not None:
            ChannelScores.load(self.config.scores).check(graph.fingerprint, model.name)

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
        if context.directory is not None and number == 1:
            scores.save(context.directory / _SCORES)
        cut, notes = _allocated(budgets[state.step], graph, scores)
        model, plan = prune_graph(graph, cut), state.plan.then(cut)
        context.recalibrate(model, config.recalibration_images)
        value = context.value(model)
        row = _row(number, model, plan) | {"pruned_value": value}
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
    return any(len(counts) > 1 for counts in levels.values()) and not budget.met_by(graph)


def _allocated(
    budget: Budget, graph: ChannelGraph, scores: ChannelScores
) -> tuple[PruningPlan, tuple[str, ...]]:
    """The cut, and what the budget says about it."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        return budget.allocate(graph, scores), tuple(str(warning.message) for warning in told)


def _row(number: int, model: keras.Model, plan: PruningPlan) -> dict[str, Any]:
    cost = profile(model).total
    channels = sum(len(plan.kept.get(name, range(count))) for name, count in plan.channels.items())
    return {
        "step": number,
        "channels": channels,
        "parameters": cost.parameters,
        "macs": cost.macs,
    }


def _untouched(plan: PruningPlan) -> Mapping[str, str]:
    whole = (name for name, kept in plan.kept.items() if len(kept) == plan.channels[name])
    return dict.fromkeys(whole, "none of its channels ranked low enough, or it was excluded")
