"""Pruning by rank: a criterion scores the channels, a budget says how many stay."""

from typing import TYPE_CHECKING

from keras_prune.utils.lazy import lazy

if TYPE_CHECKING:
    from keras_prune.methods.ranking.config import RankingConfig
    from keras_prune.methods.ranking.method import Ranking
    from keras_prune.methods.ranking.sensitivities import RATIOS, sensitivity

__all__ = ["RATIOS", "Ranking", "RankingConfig", "sensitivity"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "RATIOS": ".sensitivities",
        "Ranking": ".method",
        "RankingConfig": ".config",
        "sensitivity": ".sensitivities",
    },
)
