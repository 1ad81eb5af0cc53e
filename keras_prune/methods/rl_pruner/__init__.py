"""RL-Pruner: learns how much to take from each group of channels."""

from typing import TYPE_CHECKING

from keras_prune.utils.lazy import lazy

if TYPE_CHECKING:
    from keras_prune.methods.rl_pruner.config import RLPrunerConfig
    from keras_prune.methods.rl_pruner.environment import PruningEnvironment, pruning_environment
    from keras_prune.methods.rl_pruner.method import RLPruner

__all__ = ["PruningEnvironment", "RLPruner", "RLPrunerConfig", "pruning_environment"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "PruningEnvironment": ".environment",
        "RLPruner": ".method",
        "RLPrunerConfig": ".config",
        "pruning_environment": ".environment",
    },
)
