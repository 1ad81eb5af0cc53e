"""RL-Pruner: learns how much to take from each group of channels."""

from keras_prune.methods.rl_pruner.building import pruning_environment
from keras_prune.methods.rl_pruner.config import RLPrunerConfig, RLPrunerRecipe
from keras_prune.methods.rl_pruner.environment import PruningEnvironment
from keras_prune.methods.rl_pruner.run import resume, run_recipe
from keras_prune.methods.rl_pruner.search import RLPruner
from keras_prune.methods.rl_pruner.state import SearchState

__all__ = [
    "PruningEnvironment",
    "RLPruner",
    "RLPrunerConfig",
    "RLPrunerRecipe",
    "SearchState",
    "pruning_environment",
    "resume",
    "run_recipe",
]
