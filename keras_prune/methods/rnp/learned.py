"""A network that has learned to decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from keras_prune import criteria
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp.alternation import Alternation
from keras_prune.methods.rnp.config import RNPRecipe
from keras_prune.methods.rnp.decisions import Decisions, find_decisions
from keras_prune.methods.rnp.inference.model import RuntimePrunedModel
from keras_prune.methods.rnp.judging import Judge
from keras_prune.methods.rnp.ordering import ordered
from keras_prune.methods.run import PruningRun


@dataclass(frozen=True)
class Learned:
    """A backbone, an agent, and how they came about.

    Args:
        decisions: what is decided about the backbone.
        alternation: what trained both.
        model: both as one model.
        judge: runs images under the agent's actions, or others.
        scores: group of the baseline -> the scores its channels were ordered by.
    """

    decisions: Decisions
    alternation: Alternation
    model: RuntimePrunedModel
    judge: Judge
    scores: Mapping[str, np.ndarray]


def learn(recipe: RNPRecipe, run: PruningRun) -> Learned:
    """Orders the baseline's channels, and trains it and an agent in turn."""
    config, graph = recipe.prune, ChannelGraph(run.original)
    images = run.splits.training_sample(config.images)
    scores = criteria.get(config.criterion)(graph, images)
    backbone = ordered(graph, scores)
    decisions = find_decisions(ChannelGraph(backbone), config.sets)
    alternation = Alternation(
        decisions,
        run.splits,
        recipe.common,
        recipe.finetune,
        config,
        watcher=run.watcher,
        recording=partial(run.tracker.training, pruned=True),
        on_finetuned=run.record,
        on_episodes=partial(run.tracker.step, "agent"),
    )
    alternation.run()
    model = RuntimePrunedModel(backbone, alternation.network, config.sets, name="runtime_pruned")
    model.balance = config.balance
    judge = Judge(decisions, alternation.network)
    return Learned(decisions, alternation, model, judge, scores)
