"""Group after group: let the agent choose, cut, recover; and fine-tune at the end of each round."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import keras

from keras_prune.budgets.limits import Limits
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.base import Method, Outcome
from keras_prune.methods.context import Context
from keras_prune.methods.filter_agent.back_off import fine_tuned_within
from keras_prune.methods.filter_agent.config import FilterAgentConfig
from keras_prune.methods.filter_agent.search import GroupSearch, Row
from keras_prune.methods.state import Pruned, RunState
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune_graph
from keras_prune.training import Task, TrainingConfig

_SEEDS_A_ROUND = 1000  # more than a network has groups
_FIGURES = ("reward", "best_reward", "kept", "best_kept", "slack")  # of an update, to be tracked


class FilterAgent(Method):
    """REINFORCE over the filters of one channel group after another.

    A step is one group of one round, from the output to the input, and after the last of them the
    round's end: the network is fine-tuned, and gets channels back while it costs more than `b`. A
    round that finds or keeps nothing is the last.

    The paper goes from the input to the output. From the output, all that a rollout still has to
    run is pruned already when the expensive early groups get their turn, and these, which bear
    least, meet a network that has recovered most often.

    Reference: Huang, Zhou, You and Neumann, "Learning to Prune Filters in Convolutional Neural
    Networks", WACV 2018.
    """

    name: ClassVar[str] = "filter_agent"
    Config: ClassVar[type] = FilterAgentConfig
    config: FilterAgentConfig
    # Gentle, for what a recovery loses to a high learning rate the next group's reward takes for
    # used up.
    recovery = TrainingConfig(epochs=1, learning_rate=0.002, steps_per_epoch=20, schedule="cosine")
    finetune = TrainingConfig(epochs=2, learning_rate=0.02)

    def check(self, model: keras.Model, task: Task | None) -> None:
        """Refuses a model none of whose groups may be pruned."""
        graph = ChannelGraph(model)
        graph.require_groups()
        if self._excluded(graph).issuperset(graph.groups):
            raise ConfigError(
                f"Expected a channel group that may be pruned. Received exclude="
                f"{list(self.config.exclude)}, which leaves none of {', '.join(graph.groups)}."
            )

    def start(self, context: Context) -> RunState:
        """The state before the first group of the first round."""
        return self._begin_round(super().start(context), 1)

    def step(self, context: Context, state: RunState) -> RunState:
        """Prunes one more group, or ends the round."""
        if state.extra["position"] < len(state.extra["groups"]):
            after = self._prune_group(context, state)
        else:
            after = self._end_round(context, state)
        return replace(after, step=state.step + 1)

    def finish(self, context: Context, state: RunState) -> Outcome:
        """What the rounds have come to; it was fine-tuned in the last of them."""
        return Outcome(state.now, state.notes, state.untouched)

    def _begin_round(self, state: RunState, number: int) -> RunState:
        """Starts from what the round before has kept."""
        graph = ChannelGraph(state.model)
        excluded = self._excluded(graph)
        return replace(
            state,
            networks={"start": state.now},
            untouched={name: "it is excluded" for name in graph.groups if name in excluded},
            arrays={},
            extra={
                "round": number,
                "groups": [name for name in list(graph.groups)[::-1] if name not in excluded],
                "position": 0,
                "cuts": PruningPlan.for_graph(graph, {}).to_dict(),
            },
        )

    def _prune_group(self, context: Context, state: RunState) -> RunState:
        position = state.extra["position"]
        name = state.extra["groups"][position]
        graph = ChannelGraph(state.model)
        search = self._search(context, state, graph, name)
        rows = [self._told(context, state, search, row) for row in search.run()]
        log_odds = [*state.arrays.get("log_odds", ()), search.choice.log_odds]
        decided = replace(
            state,
            history=(*state.history, *rows),
            arrays={"log_odds": log_odds},
            extra={**state.extra, "position": position + 1},
        )
        if search.choice.kept == graph.groups[name].channels:
            reason = "no mask had a positive reward"
            return replace(decided, untouched={**state.untouched, name: reason})
        cut = PruningPlan.from_masks(graph, {name: search.choice.mask})
        model = prune_graph(graph, cut)
        pruned_value = context.value_of_cut(model, self.config.recalibration_images)
        rows[-1] = {**rows[-1], "pruned_value": pruned_value}
        context.fit(model, self.recovery, f"recover {name}")
        cuts = PruningPlan.from_dict(state.extra["cuts"]).then(cut)
        return replace(
            decided,
            history=(*state.history, *rows),
            now=Pruned(model, state.plan.then(cut), context.value(model)),
            extra={**decided.extra, "cuts": cuts.to_dict()},
        )

    def _search(
        self, context: Context, state: RunState, graph: ChannelGraph, name: str
    ) -> GroupSearch:
        group = graph.groups[name]
        return GroupSearch(
            group,
            context.evaluator(graph, [group], self.config.reward_images),
            context.objective,
            # What a short recovery has not brought back is left to the round's fine-tuning: else
            # the first groups use up `b` for all. Backing off keeps the promise at the end.
            slack=max(0.0, context.objective.drop(state.value, context.baseline)),
            config=self.config,
            seed=self._seed(context, state),
        )

    def _told(self, context: Context, state: RunState, search: GroupSearch, row: Row) -> Row:
        """Tells of one update; returns its row of the history."""
        number, groups = state.extra["round"], state.extra["groups"]
        context.progress(
            f"round {number}/{self.config.rounds} "
            f"group {state.extra['position'] + 1}/{len(groups)} {row['group']}",
            row["update"],
            search.last_update,
            {"reward": row["reward"], "kept": row["best_kept"], "of": row["channels"]},
        )
        context.track(row["group"], {figure: row[figure] for figure in _FIGURES})
        return {"round": number, **row}

    def _end_round(self, context: Context, state: RunState) -> RunState:
        start = state.networks["start"]
        cuts = PruningPlan.from_dict(state.extra["cuts"])
        if not cuts.kept:
            return replace(state, done=True)
        kept, notes = fine_tuned_within(
            self.config.b,
            ChannelGraph(start.model),
            _copied(state.model),
            cuts,
            dict(zip(state.extra["groups"], state.arrays["log_odds"], strict=True)),
            objective=context.objective,
            baseline=context.baseline,
            finetune=lambda model: context.fit(model, self.finetune, "fine-tune", validate=True),
            value=context.value,
        )
        if kept is None:
            return replace(state.noted(*notes), now=start, done=True)
        ended = replace(
            state.noted(*notes), now=Pruned(kept.model, start.plan.then(kept.plan), kept.value)
        )
        if state.extra["round"] == self.config.rounds:
            return replace(ended, done=True)
        return self._begin_round(ended, state.extra["round"] + 1)

    def _excluded(self, graph: ChannelGraph) -> set[str]:
        return Limits(1, 1.0, tuple(self.config.exclude), 1).excluded(graph)

    def _seed(self, context: Context, state: RunState) -> int:
        return context.seed + _SEEDS_A_ROUND * state.extra["round"] + state.extra["position"]


def _copied(model: keras.Model) -> keras.Model:
    """A model to train in place of the state's own, which may not change."""
    graph = ChannelGraph(model)
    return prune_graph(graph, PruningPlan.for_graph(graph, {}))
