"""Pruning by rank: a criterion scores the channels, a budget says how many stay."""

from keras_prune.methods.ranking.config import RankingConfig, RankingRecipe
from keras_prune.methods.ranking.run import run_recipe
from keras_prune.methods.ranking.sensitivity import RATIOS, sensitivity
from keras_prune.methods.ranking.steps import Steps, prune_in_steps

__all__ = [
    "RATIOS",
    "RankingConfig",
    "RankingRecipe",
    "Steps",
    "prune_in_steps",
    "run_recipe",
    "sensitivity",
]
