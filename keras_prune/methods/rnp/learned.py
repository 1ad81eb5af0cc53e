"""A network that has learned to decide."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from keras_prune import criteria
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp.alternation import Alternation
from keras_prune.methods.rnp.config import RNPRecipe
from keras_prune.methods.rnp.decisions import Decisions, find_decisions
from keras_prune.methods.rnp.inference.model import RuntimePrunedModel
from keras_prune.methods.rnp.ordering import ordered
from keras_prune.methods.run import PruningRun


@dataclass(frozen=True)
class Learned:
    """A backbone, an agent, and how they came about.

    Args:
        decisions: what is decided about the backbone.
        alternation: what trained both.
        model: both as one model.
    """

    decisions: Decisions
    alternation: Alternation
    model: RuntimePrunedModel


def learn(recipe: RNPRecipe, run: PruningRun) -> Learned:
    """Orders the baseline's channels, and trains it and an agent in turn."""
    config, graph = recipe.prune, ChannelGraph(run.original)
    images = run.splits.training_sample(config.images)
    backbone = ordered(graph, criteria.get(config.criterion)(graph, images))
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
    return Learned(decisions, alternation, model)
