"""RNP: every image decides, layer by layer, how many channels are computed for it."""

from typing import TYPE_CHECKING

from keras_prune.utils.lazy import lazy

if TYPE_CHECKING:
    from keras_prune.methods.rnp.config import RNPConfig
    from keras_prune.methods.rnp.decisions import find_decisions
    from keras_prune.methods.rnp.inference.model import RuntimePrunedModel
    from keras_prune.methods.rnp.method import RNP
    from keras_prune.methods.rnp.network import DecisionNetwork
    from keras_prune.methods.rnp.ordering import ordered

__all__ = [
    "RNP",
    "DecisionNetwork",
    "RNPConfig",
    "RuntimePrunedModel",
    "find_decisions",
    "ordered",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "DecisionNetwork": ".network",
        "RNP": ".method",
        "RNPConfig": ".config",
        "RuntimePrunedModel": ".inference.model",
        "find_decisions": ".decisions",
        "ordered": ".ordering",
    },
)
