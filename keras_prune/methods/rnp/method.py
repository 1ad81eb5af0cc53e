"""RNP as steps: the backbone is fine-tuned under the agent's actions, then the agent is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import keras
import numpy as np

from keras_prune import criteria
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.base import Method, Outcome
from keras_prune.methods.context import Context
from keras_prune.methods.rnp.config import RNPConfig
from keras_prune.methods.rnp.costs import Costs
from keras_prune.methods.rnp.curve import Curve
from keras_prune.methods.rnp.decisions import Decisions, check_images, find_decisions
from keras_prune.methods.rnp.episodes import generator, validation_episodes
from keras_prune.methods.rnp.finetuning import FineTuning
from keras_prune.methods.rnp.inference.model import RuntimePrunedModel
from keras_prune.methods.rnp.network import DecisionNetwork
from keras_prune.methods.rnp.ordering import ordered
from keras_prune.methods.rnp.plots import draw_curve
from keras_prune.methods.rnp.reporting import Reporting
from keras_prune.methods.rnp.trainer import AgentTrainer
from keras_prune.methods.state import Pruned, RunState
from keras_prune.plan import PruningPlan
from keras_prune.reporting import PruningReport
from keras_prune.surgery import prune_graph
from keras_prune.training import Task, TrainingConfig

_BATCH = 32
"""Images of the batch that decides how several images are computed."""


class RNP(Method):
    """Runtime pruning: every image decides how much of the network is computed for it.

    No agent is trained before the first step: its actions are random. Otherwise the agent would
    learn on a backbone that is good for nothing but full width. All channels stay, so the plan
    drops nothing, and there is no training at the end. Every option of `RNPConfig` is an argument.

    Example:

    >>> RNP(sets=2, steps=1).config.sets
    2

    Reference: Lin, Rao, Lu and Zhou, "Runtime Neural Pruning", NeurIPS 2017.
    """

    name: ClassVar[str] = "rnp"
    Config: ClassVar[type] = RNPConfig
    recovery = TrainingConfig(epochs=1, learning_rate=0.02, schedule="cosine")
    config: RNPConfig

    def _check_config(self) -> None:
        criteria.get(self.config.criterion)

    def check(self, model: keras.Model, task: Task | None) -> None:
        """Refuses a network or a task that is no classification of images, and distillation."""
        if self.distillation is not None:
            raise ConfigError(
                "Runtime pruning learns from the labels alone. Received: distillation. Leave it "
                "out."
            )
        if task is not None and not task.classes:
            raise ConfigError(
                "Runtime pruning is for classifiers of images, trained with the cross-entropy of "
                "class numbers. Received: a task with another loss. Give a kp.Task without loss "
                "and an uncompiled model, or choose another method."
            )
        if task is not None and task.own_fit is not None:
            raise ConfigError(
                "Runtime pruning trains the network under decisions, which the task's fit does not "
                "know. Leave out kp.Task(fit=...), or choose another method."
            )
        graph = ChannelGraph(model)
        find_decisions(graph, self.config.sets)
        check_images(graph)

    def start(self, context: Context) -> RunState:
        """The network with its channels in the order of their scores, and an untrained agent."""
        graph = ChannelGraph(context.model)
        scores = context.scores(
            graph, self.config.criterion, self.config.calibration_images
        ).require_all()
        backbone = ordered(graph, scores)
        keras.utils.set_random_seed(context.seed)
        network = self._network(self._decisions(backbone))
        plan = PruningPlan.for_graph(graph, {})
        return RunState(
            Pruned(backbone, plan, context.initial),
            extra={"alpha": 0.0, "episodes": _stream(np.random.default_rng(context.seed))},
            arrays={"agent": network.get_weights()},
        )

    def step(self, context: Context, state: RunState) -> RunState:
        """One more fine-tuning of the backbone, and one more training of the agent on it."""
        keras.utils.set_random_seed(context.seed)
        decisions = self._decisions(_copied(state.model))
        network = self._network(decisions, state)
        tuning = self._fine_tuned(context, state, decisions, network)
        random = generator(state.extra["episodes"])
        trainer = AgentTrainer(
            network,
            validation_episodes(context, decisions, network, random),
            Costs(decisions, network.macs),
            self.config,
            context.seed,
        )
        number = state.step + 1
        alpha = trainer.prepare(adapt=number == 1)
        rows = []
        for row in trainer.run(alpha):
            rows.append({"step": number, **row})
            self._tell(context, rows[-1])
        return replace(
            state,
            now=Pruned(decisions.graph.model, state.plan, context.value(decisions.graph.model)),
            step=number,
            done=number == self.config.steps,
            history=(*state.history, *rows),
            extra={"alpha": alpha, "episodes": _stream(random), "draws": tuning.draws},
            arrays={"agent": network.get_weights(), "optimizer": tuning.memory},
        )

    def finish(self, context: Context, state: RunState) -> Outcome:
        """Backbone and agent as one model."""
        decisions = self._decisions(state.model)
        network = self._network(decisions, state)
        model = RuntimePrunedModel(state.model, network, self.config.sets, name="runtime_pruned")
        model.balance = self.config.balance
        images, _, _ = context.task.examples("validation", _BATCH)
        model.choose_batching(images)
        pruned = Pruned(model, state.plan, context.value(model))
        return Outcome(pruned, state.notes, decisions.whole, state)

    def report(self, context: Context, outcome: Outcome, report: PruningReport) -> PruningReport:
        """The report with what an image costs on average; tables and plots beside it."""
        model, state = outcome.pruned.model, outcome.result
        reporting = Reporting(context, self.config, model, state)
        told: tuple[str, ...] = ()
        if context.directory is not None:
            told = reporting.write(context.directory)
            if self.config.curve:
                self._curve(context, reporting, model.network, state)
        report = reporting.completed(report)
        return replace(report, notes=(*report.notes, *told))

    def _curve(
        self, context: Context, reporting: Reporting, network: DecisionNetwork, state: RunState
    ) -> None:
        assert context.directory is not None
        curve = Curve(
            context, self.config, self.recovery, reporting.decisions, network,
            reporting.images, reporting.labels, state.extra["episodes"],
        )  # fmt: skip
        frame = curve.frame()
        context.directory.write_frame("curve.csv", frame)
        draw_curve(frame, reporting.split, context.directory / "curve.svg")

    def _decisions(self, backbone: keras.Model) -> Decisions:
        return find_decisions(ChannelGraph(backbone), self.config.sets)

    def _network(self, decisions: Decisions, state: RunState | None = None) -> DecisionNetwork:
        """The agent's network: a new one, or that of a state."""
        config = self.config
        states = [step.state for step in decisions.steps]
        network = DecisionNetwork(states, config.sets, config.code, config.units)
        if state is not None:
            network.set_weights(state.arrays["agent"])
        return network

    def _fine_tuned(
        self, context: Context, state: RunState, decisions: Decisions, network: DecisionNetwork
    ) -> FineTuning:
        """The fine-tuning of a step, when it is done."""
        number, steps = state.step + 1, self.config.steps
        tuning = FineTuning(
            context, decisions, network, self.recovery,
            steps=steps, epsilon=1.0 if number == 1 else self.config.epsilon, full=self.config.full,
        )  # fmt: skip
        if number > 1:
            tuning.restore(state.extra["draws"], state.arrays["optimizer"])
        tuning.run(f"recover {number}/{steps}", context.seed + number)
        return tuning

    def _tell(self, context: Context, row: Mapping[str, Any]) -> None:
        context.track("agent", row)
        shown = {name: row[name] for name in ("reward", "multiplications", "q_loss")}
        stage = f"agent {row['step']}/{self.config.steps}"
        context.progress(stage, row["episode"], self.config.episodes, shown)


def _copied(model: keras.Model) -> keras.Model:
    graph = ChannelGraph(model)
    return prune_graph(graph, PruningPlan.for_graph(graph, {}))


def _stream(random: np.random.Generator) -> dict[str, Any]:
    """Where a stream of random numbers stands, as plain data."""
    return dict(random.bit_generator.state)
