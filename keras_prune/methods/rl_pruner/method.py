"""Step after step: search a distribution over the groups, prune by it, recover."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import keras
import numpy as np
import pandas as pd

from keras_prune import criteria
from keras_prune.agents import DistributionAgent, Tried
from keras_prune.budgets import Budget
from keras_prune.graph import ChannelGraph
from keras_prune.methods.base import Method, Outcome
from keras_prune.methods.context import Context
from keras_prune.methods.rl_pruner.config import RLPrunerConfig
from keras_prune.methods.rl_pruner.environment import PruningEnvironment
from keras_prune.methods.rl_pruner.feasibility import check
from keras_prune.methods.state import Pruned, RunState
from keras_prune.reporting import PruningReport
from keras_prune.reporting.plots import draw_shares
from keras_prune.surgery import prune_graph
from keras_prune.training import Task

Row = dict[str, Any]


class RLPruner(Method):
    """Learns how much each group of channels gives (Wang and Kindratenko, 2024).

    A step tries noisy distributions over the groups, measures what the network is worth under each
    with its channels silenced, moves towards the best, prunes by it, and recovers. Every option of
    `RLPrunerConfig` is an argument.

    Example:

    >>> RLPruner(macs=0.5, steps=2).config.samples
    16

    Reference: Wang and Kindratenko, "RL-Pruner", 2024, section 3.
    """

    name: ClassVar[str] = "rl_pruner"
    Config: ClassVar[type] = RLPrunerConfig
    config: RLPrunerConfig

    def _check_config(self) -> None:
        criteria.get(self.config.criterion)
        self.config.budget  # noqa: B018  # which checks itself

    def check(self, model: keras.Model, task: Task | None) -> None:
        """Refuses a budget that cannot be met, and a network with nothing to share out."""
        check(self.config.budget, ChannelGraph(model))

    def start(self, context: Context) -> RunState:
        """The state before the first step: every group gives in proportion to its channels."""
        agent = self._agent(context)
        extra = {"agent": agent.state(), "shares": [_shares(context, agent)]}
        return replace(super().start(context), extra=extra)

    def step(self, context: Context, state: RunState) -> RunState:
        """One more search, cut and recovery."""
        graph, number = ChannelGraph(state.model), state.step + 1
        done = number == self.config.steps
        budgets = self.config.budget.steps(self.config.steps, ChannelGraph(context.model))
        left = [budget for budget in budgets[state.step :] if not budget.met_by(graph)]
        if budgets[state.step] not in left:  # whole channels went further than asked
            return replace(state, step=number, done=done)
        agent = self._agent(context)
        agent.restore(state.extra["agent"])
        environment = self._environment(context, graph, left[: self.config.depth])
        rows = list(self._search(context, environment, agent, number))
        plan = environment.plan(agent.chosen.action)
        model = prune_graph(graph, plan)
        pruned_value = context.value_of_cut(model, self.config.recalibration_images)
        rows[-1] = {**rows[-1], "pruned_value": pruned_value}
        context.fit(model, self.recovery, f"recover step {number}")
        after = replace(
            state,
            step=number,
            done=done,
            history=(*state.history, *rows),
            extra={
                "agent": agent.state(),
                "shares": [*state.extra["shares"], _shares(context, agent)],
            },
        )
        return self._kept(
            context, after, Pruned(model, state.plan.then(plan), context.value(model))
        )

    def finish(self, context: Context, state: RunState) -> Outcome:
        """The network after the last training; where nothing was pruned, there is none."""
        pruned = state.now
        if pruned.plan.kept:
            context.warn_before_training(pruned)
            context.fit(pruned.model, self.finetune, "fine-tune", validate=True)
            pruned = replace(pruned, value=context.value(pruned.model))
        return Outcome(pruned, state.notes, result=state.extra["shares"])

    def tables(self, state: RunState) -> Mapping[str, pd.DataFrame]:
        """The history, and the distribution after each step."""
        shares = pd.DataFrame(state.extra["shares"]).rename_axis("step").reset_index()
        return {**super().tables(state), "distribution": shares}

    def report(self, context: Context, outcome: Outcome, report: PruningReport) -> PruningReport:
        """The report as it is; the distributions are drawn."""
        if context.directory is not None:
            draw_shares(outcome.result, context.directory / "distribution.svg")
        return report

    def _environment(
        self, context: Context, graph: ChannelGraph, budgets: list[Budget]
    ) -> PruningEnvironment:
        config, groups = self.config, list(graph.groups.values())
        return PruningEnvironment(
            graph,
            context.scores(graph, config.criterion, config.calibration_images).require_all(),
            budgets,
            context.evaluator(graph, groups, config.reward_images),
            objective=context.objective,
            macs_weight=config.macs_weight,
            params_weight=config.params_weight,
        )

    def _search(
        self,
        context: Context,
        environment: PruningEnvironment,
        agent: DistributionAgent,
        number: int,
    ) -> Iterator[Row]:
        """Moves the distribution; yields a row of figures after each update.

        What was best in the step before, and the distribution itself, compete once more: their
        values belonged to another network.
        """
        config = self.config
        agent.begin()
        for update in range(1, config.updates + 1):
            actions = agent.ask(config.samples)

            def follow(sample: int, depth: int, update: int = update) -> np.ndarray:
                # A seed of its own for each sample: no value depends on the order of the others.
                seed = (context.seed, number, update, sample, depth)
                return agent.noisy(np.random.default_rng(seed))

            values = environment.returns(actions, config.discount, follow)
            chosen = agent.tell(actions, values)
            row = _row(number, update, values, chosen, agent)
            figures = {k: v for k, v in row.items() if v is not None}
            context.track(f"step {number}", figures)
            context.progress(
                f"search step {number}/{config.steps}", update, config.updates,
                {"return": row["mean_return"], "best": row["best_return"]},
            )  # fmt: skip
            yield row

    def _kept(self, context: Context, after: RunState, made: Pruned) -> RunState:
        """The state with what a step made, unless that costs more than may be lost."""
        drop = context.objective.drop(context.baseline, made.value)
        most = self.config.max_drop
        if most is None or drop <= most:
            return replace(after, now=made)
        return replace(after, done=True).noted(
            f"Step {after.step} cost {drop:.4g} {context.objective.points} of validation "
            f"{context.objective.metric}, more than max_drop = {most:g}: it was undone, and the "
            "budget was not reached."
        )

    def _agent(self, context: Context) -> DistributionAgent:
        config = self.config
        return DistributionAgent(
            np.array(list(_channels(context).values())),
            seed=context.seed,
            noise=config.noise,
            floor=config.floor,
            step=config.step,
            clip=config.clip,
            epsilon=config.epsilon,
            decay=config.epsilon_decay,
            replay=config.replay,
        )


def _channels(context: Context) -> dict[str, int]:
    graph = ChannelGraph(context.model)
    return {name: group.channels for name, group in graph.groups.items()}


def _shares(context: Context, agent: DistributionAgent) -> dict[str, float]:
    return dict(zip(_channels(context), agent.distribution.tolist(), strict=True))


def _row(
    number: int, update: int, values: np.ndarray, chosen: Tried, agent: DistributionAgent
) -> Row:
    return {
        "step": number,
        "update": update,
        "samples": len(values),
        "unmoved_return": float(values[0]) if update == 1 else None,
        "mean_return": float(np.mean(values)),
        "best_return": agent.replay[0].value,
        "chosen_return": chosen.value,
    }
