"""The pruning methods; each only chooses what stays.

>>> from keras_prune import methods
>>> methods.get("ranking", macs=0.5).name
'ranking'
"""

from typing import TYPE_CHECKING

from keras_prune.utils.lazy import lazy

if TYPE_CHECKING:
    from keras_prune.methods.base import Method, Outcome
    from keras_prune.methods.filter_agent import FilterAgent
    from keras_prune.methods.magnitude import Magnitude
    from keras_prune.methods.ranking import Ranking, sensitivity
    from keras_prune.methods.registry import available, get
    from keras_prune.methods.rl_pruner import RLPruner
    from keras_prune.methods.rnp import RNP
    from keras_prune.methods.run import Result
    from keras_prune.methods.state import Pruned, RunState

__all__ = [
    "RNP",
    "FilterAgent",
    "Magnitude",
    "Method",
    "Outcome",
    "Pruned",
    "RLPruner",
    "Ranking",
    "Result",
    "RunState",
    "available",
    "get",
    "sensitivity",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "FilterAgent": ".filter_agent",
        "Magnitude": ".magnitude",
        "Method": ".base",
        "Outcome": ".base",
        "Pruned": ".state",
        "RLPruner": ".rl_pruner",
        "RNP": ".rnp",
        "Ranking": ".ranking",
        "Result": ".run",
        "RunState": ".state",
        "available": ".registry",
        "get": ".registry",
        "sensitivity": ".ranking",
    },
)
