"""Group after group: let the agent choose, cut, recover."""

from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import numpy as np

from keras_prune.graph import ChannelGraph
from keras_prune.methods.filter_agent.config import FilterAgentConfig
from keras_prune.methods.filter_agent.search import GroupSearch, Row
from keras_prune.methods.outcome import Outcome
from keras_prune.plan import PruningPlan
from keras_prune.progress import Progress, Watcher, silent
from keras_prune.surgery import prune_graph
from keras_prune.tracking import Tracker, untracked

Recover = Callable[[keras.Model, str], None]

_FIGURES = ("reward", "best_reward", "kept", "best_kept", "slack")  # of a step, to be tracked


@dataclass
class FilterAgentResult:
    """What the agent made of a model.

    Args:
        model: the pruned model.
        plan: all choices as one plan for the original model.
        log_odds: group -> the policy's last word on each of the original's channels.
        history: one row of figures per step.
        untouched: group -> why nothing was pruned there.
    """

    model: keras.Model
    plan: PruningPlan
    log_odds: dict[str, np.ndarray] = field(default_factory=dict)
    history: list[Row] = field(default_factory=list)
    untouched: dict[str, str] = field(default_factory=dict)


def prune_by_agent(
    start: Outcome,
    images: np.ndarray,
    labels: np.ndarray,
    config: FilterAgentConfig,
    *,
    baseline: float,
    accuracy: Callable[[keras.Model], float],
    recover: Recover,
    seed: int,
    precision: str = "float32",
    watcher: Watcher = silent,
    tracker: Tracker = untracked,
    on_group: Callable[[FilterAgentResult], None] = lambda result: None,
) -> FilterAgentResult:
    """Prunes group after group (Huang et al., 2018), from the output to the input.

    The paper goes the other way. From the output, all that a rollout still has to run is pruned
    already when the expensive early groups get their turn, and these, which bear least, meet a
    network that has recovered most often.

    Args:
        start: what is pruned, one image input and one output of class scores, with its accuracy on
            the whole validation split; it is not changed.
        images: held-out images the rewards are measured on, never the test split; float32.
        labels: their classes, int.
        config: the agent.
        baseline: accuracy of the original network on the whole validation split, in percent; what
            the model has above it may be spent, too.
        accuracy: measures a model on the whole validation split, in percent. The rollouts' images
            are too few to say how good a network is, only what a mask changes.
        recover: fine-tunes a model in place; called with the model and the group's name after
            every cut.
        seed: of all policies and samples.
        precision: of the rollouts, `"float32"` or `"mixed_bfloat16"`.
        watcher: told of every step.
        tracker: told of every step's figures.
        on_group: called after every group, for example to save what there is.

    Returns:
        The pruned model, the plan that leads to it and how it came about.

    Raises:
        ModelError: no channel of the model can be pruned.
    """
    graph, now = ChannelGraph(start.model), start.accuracy
    graph.require_groups()
    names = list(graph.groups)[::-1]
    result = FilterAgentResult(start.model, PruningPlan.for_graph(graph, {}))
    for number, name in enumerate(names):
        search = GroupSearch(
            graph,
            graph.groups[name],
            images,
            labels,
            # What a short recovery has not brought back is left to the final fine-tuning: else
            # the first groups use up `b` for all. The guard keeps the promise at the end.
            slack=max(0.0, now - baseline),
            config=config,
            seed=seed + number,
            precision=precision,
        )
        for row in search.run():
            result.history.append(row)
            watcher(_progress(row, number, len(names), search.last_step))
            tracker.step(name, {figure: row[figure] for figure in _FIGURES})
        if _cut(search, graph, name, result):
            recover(result.model, name)
            graph, now = ChannelGraph(result.model), accuracy(result.model)
        on_group(result)
    return result


def _cut(search: GroupSearch, graph: ChannelGraph, name: str, result: FilterAgentResult) -> bool:
    """Cuts what a search chose out of the model. Returns whether there was anything to cut."""
    choice = search.choice
    result.log_odds[name] = choice.log_odds
    if choice.kept == graph.groups[name].channels:
        result.untouched[name] = "no mask had a positive reward"
        return False
    step = PruningPlan.from_masks(graph, {name: choice.mask})
    result.model = prune_graph(graph, step)
    result.plan = result.plan.then(step)
    return True


def _progress(row: Row, number: int, groups: int, steps: int) -> Progress:
    stage = f"group {number + 1}/{groups} {row['group']}"
    metrics = {"reward": row["reward"], "kept": row["best_kept"], "of": row["channels"]}
    return Progress(stage, row["step"], steps, metrics)
