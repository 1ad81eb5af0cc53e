"""Magnitude pruning by Han's loop: prune the smallest weights, retrain the others, repeat."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras

from keras_prune.graph import ChannelGraph
from keras_prune.methods.base import Method, Outcome
from keras_prune.methods.context import Context
from keras_prune.methods.magnitude import files
from keras_prune.methods.magnitude.choosing import (
    chosen,
    expect_pruning,
    nonzero,
    prunable,
    sparsity,
)
from keras_prune.methods.magnitude.config import MagnitudeConfig
from keras_prune.methods.magnitude.dropouts import dropout_rates, set_dropout_rates, weakened
from keras_prune.methods.magnitude.masks import Masks
from keras_prune.methods.magnitude.remasking import Remasking
from keras_prune.methods.magnitude.tables import layer_tables
from keras_prune.methods.state import Pruned, RunState
from keras_prune.plan import PruningPlan
from keras_prune.reporting import PruningReport
from keras_prune.surgery import prune_graph, without_dead
from keras_prune.training import Task
from keras_prune.utils.backends import require_tensorflow

_MASKS, _RATES = "masks", "dropout_rates"
"""What a state keeps beside the network: bool arrays, and a rate for each dropout layer."""


class Magnitude(Method):
    """Sets the smallest weights to zero in steps, each with a training of the others.

    Weights that are zero already stay so, the survivors keep their values, biases are not pruned,
    and dropout weakens with the connections. At the end the channels that do nothing any more
    leave, which changes nothing of what the network computes.

    The last step is followed by the training `finetune`, the others by `recovery`, whose learning
    rate is to be lower than that of the first training.

    Example:

    >>> Magnitude(threshold="global", sparsity=0.9, steps=5).config.sparsity
    0.9

    Reference: Han, Pool, Tran and Dally, "Learning both Weights and Connections for Efficient
    Neural Networks", NeurIPS 2015, section 3.
    """

    name = "magnitude"
    Config = MagnitudeConfig
    config: MagnitudeConfig

    def check(self, model: keras.Model, task: Task | None) -> None:
        require_tensorflow("Magnitude pruning of single weights")
        prunable(_copied(model, 0), self.config)  # layers are called as in what comes of the model

    def start(self, context: Context) -> RunState:
        model = _copied(context.model, context.seed)
        found = prunable(model, self.config)
        masks = nonzero(found)
        expect_pruning(self.config, found, masks)
        return RunState(
            Pruned(model, _whole(ChannelGraph(context.model)), context.initial),
            extra={_RATES: dropout_rates(model, found)},
            arrays={_MASKS: masks},
        )

    def step(self, context: Context, state: RunState) -> RunState:
        number, steps = state.step + 1, self.config.steps
        model = _copied(state.model, context.seed + number)
        found, before = prunable(model, self.config), state.arrays[_MASKS]
        now = chosen(self.config, found, before, number)
        masks = Masks(found)
        masks.assign(now)
        rates = weakened(model, found, state.extra[_RATES], before, now)
        set_dropout_rates(model, found, rates)
        pruned = context.value(model)
        if number == steps:
            context.warn_before_training(Pruned(model, state.plan, pruned))
        self._retrain(context, model, masks, number)
        value = context.value(model)
        figures = {"sparsity": sparsity(now), "pruned_value": pruned, "retrained_value": value}
        context.track("network", figures)
        return replace(
            state,
            now=Pruned(model, state.plan, value),
            step=number,
            done=number == steps,
            history=(*state.history, {"step": number, **figures}),
            extra={_RATES: rates},
            arrays={_MASKS: now},
        )

    def finish(self, context: Context, state: RunState) -> Outcome:
        sparse = _copied(state.model, context.seed)
        set_dropout_rates(sparse, prunable(sparse, self.config), state.extra[_RATES])
        graph = ChannelGraph(sparse)
        plan = without_dead(graph)
        small = prune_graph(graph, plan)
        tables = layer_tables(_copied(context.model, context.seed), sparse)
        return Outcome(
            Pruned(small, plan, context.value(small)),
            notes=(_note(tables["parameters"].iloc[-1]), *state.notes),
            result=files.Sparse(sparse, tables),
        )

    def report(self, context: Context, outcome: Outcome, report: PruningReport) -> PruningReport:
        if context.directory is None:
            return report
        told = files.write(context.directory, outcome.result, report, context.task, self.config)
        return replace(report, notes=(*report.notes, *told))

    def _retrain(self, context: Context, model: keras.Model, masks: Masks, number: int) -> None:
        """Trains what is left; after the last step by `finetune`."""
        last = number == self.config.steps
        config = self.finetune if last else self.recovery
        stage = "fine-tune" if last else f"recover {number}/{self.config.steps}"
        context.fit(model, config, stage, validate=True, callbacks=[Remasking(masks)])
        masks.apply()  # a `fit` of the user's own may tell callbacks nothing


def _copied(model: keras.Model, seed: int) -> keras.Model:
    """The same network anew; what its layers draw at random begins with the seed."""
    keras.utils.set_random_seed(seed)
    graph = ChannelGraph(model)
    return prune_graph(graph, _whole(graph))


def _whole(graph: ChannelGraph) -> PruningPlan:
    return PruningPlan.for_graph(graph, {})


def _note(total: Any) -> str:
    return (
        f"{total['after']:,} of {total['before']:,} parameters are not zero: "
        f"{total['before'] / total['after']:.2f} times fewer."
    )
