"""Stage after stage: search a distribution, prune by it, recover."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_prune.agents import DistributionAgent, Tried
from keras_prune.budgets import Budget
from keras_prune.graph import ChannelGraph
from keras_prune.methods.outcome import Outcome
from keras_prune.methods.rl_pruner.building import Arrays, check, pruning_environment
from keras_prune.methods.rl_pruner.config import RLPrunerConfig
from keras_prune.methods.rl_pruner.stage import Row, StageSearch
from keras_prune.methods.rl_pruner.state import SearchState
from keras_prune.plan import PruningPlan
from keras_prune.progress import Progress, Watcher, silent
from keras_prune.surgery import prune_graph
from keras_prune.tracking import Tracker, untracked


class RLPruner:
    """RL-Pruner on one network (Wang and Kindratenko, 2024).

    Args:
        original: the outset, one image input and one output of class scores, with its accuracy on
            the whole validation split and a plan that drops nothing; it is not changed.
        rewards: held-out images, float32, and their classes, never of the test split.
        config: the search.
        recover: fine-tunes a model in place; called with it and what that training is called.
        accuracy: measures a model on the whole validation split, in percent.
        seed: of everything the agent draws.
        calibration: examples, for a criterion that looks at any.
        precision: of the rollouts, `"float32"` or `"mixed_bfloat16"`.
        watcher: told of every sample.
        tracker: told of every round.

    Raises:
        ModelError: fewer than two groups can lose channels.
        ConfigError: the budget is met already, or can never be.
    """

    def __init__(
        self,
        original: Outcome,
        rewards: Arrays,
        config: RLPrunerConfig,
        *,
        recover: Callable[[keras.Model, str], None],
        accuracy: Callable[[keras.Model], float],
        seed: int,
        calibration: Any = None,
        precision: str = "float32",
        watcher: Watcher = silent,
        tracker: Tracker = untracked,
    ) -> None:
        self._original, self._rewards, self._config = original, rewards, config
        self._recover, self._accuracy, self._seed = recover, accuracy, seed
        self._calibration, self._precision = calibration, precision
        self._watcher, self._tracker = watcher, tracker
        graph = ChannelGraph(original.model)
        check(config.budget, graph)
        self._budgets = config.budget.steps(config.stages, graph)
        self._channels = {name: group.channels for name, group in graph.groups.items()}

    def start(self) -> SearchState:
        """The state before the first stage: every group gives in proportion to its channels."""
        agent = self._agent()
        return SearchState(
            self._original.model,
            self._original.plan,
            self._original.accuracy,
            agent=agent.state(),
            shares=[self._shares(agent)],
        )

    def advance(self, state: SearchState) -> SearchState:
        """The state after one more stage; the given one is not changed."""
        graph, stage = ChannelGraph(state.model), state.stage + 1
        ended = stage == self._config.stages
        budgets = [b for b in self._budgets[state.stage :] if not b.met_by(graph)]
        if self._budgets[state.stage] not in budgets:  # whole channels went further than asked
            return replace(state, stage=stage, ended=ended)
        agent = self._agent()
        agent.restore(state.agent)
        plan, rows = self._search(graph, budgets[: self._config.depth], agent, stage)
        model = prune_graph(graph, plan)
        self._recover(model, f"recover stage {stage}")
        after = replace(
            state,
            stage=stage,
            ended=ended,
            agent=agent.state(),
            shares=[*state.shares, self._shares(agent)],
            history=[*state.history, *rows],
        )
        return self._kept(after, model, plan, self._accuracy(model))

    def _search(
        self, graph: ChannelGraph, budgets: list[Budget], agent: DistributionAgent, stage: int
    ) -> tuple[PruningPlan, list[Row]]:
        """What the first step of the chosen sample drops, and a row a round."""
        environment = pruning_environment(
            graph,
            budgets,
            self._rewards,
            criterion=self._config.criterion,
            calibration=self._calibration,
            precision=self._precision,
            macs_weight=self._config.macs_weight,
            params_weight=self._config.params_weight,
        )
        search = StageSearch(
            environment,
            agent,
            self._config.rounds,
            self._config.samples,
            self._config.discount,
            tried=self._telling(agent, stage),
        )
        rows = []
        for row in search.run():
            rows.append({"stage": stage} | row)
            self._tracker.step(f"stage {stage}", _numbers(row))
        return environment.plan(search.chosen.action), rows

    def _kept(
        self, after: SearchState, model: keras.Model, plan: PruningPlan, reached: float
    ) -> SearchState:
        """The state with what a stage made, unless that costs more than may be lost."""
        drop, most = self._original.accuracy - reached, self._config.max_drop
        if most is not None and drop > most:
            note = (
                f"Stage {after.stage} cost {drop:.2f} points of validation accuracy, more than "
                f"max_drop = {most:g}: it was undone, and the budget was not reached."
            )
            return replace(after, ended=True, notes=(*after.notes, note))
        return replace(after, model=model, plan=after.plan.then(plan), accuracy=reached)

    def _agent(self) -> DistributionAgent:
        config = self._config
        return DistributionAgent(
            np.array(list(self._channels.values())),
            seed=self._seed,
            noise=config.noise,
            floor=config.floor,
            step=config.step,
            clip=config.clip,
            epsilon=config.epsilon,
            decay=config.epsilon_decay,
            replay=config.replay,
        )

    def _shares(self, agent: DistributionAgent) -> dict[str, float]:
        return dict(zip(self._channels, agent.distribution.tolist(), strict=True))

    def _telling(self, agent: DistributionAgent, stage: int) -> Callable[[Tried], None]:
        """What tells the watcher of every sample of a stage."""
        config, values = self._config, []
        total = config.rounds * config.samples + 1 + len(agent.replay)

        def tell(tried: Tried) -> None:
            values.append(tried.value)
            metrics = {"return": tried.value, "best": max(values)}
            name = f"search stage {stage}/{config.stages}"
            self._watcher(Progress(name, len(values), total, metrics))

        return tell


def _numbers(row: Row) -> dict[str, float]:
    return {name: value for name, value in row.items() if value is not None}
