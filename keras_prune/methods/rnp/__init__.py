"""RNP: every image decides, layer by layer, how many channels are computed for it."""

from keras_prune.methods.rnp.config import RNPConfig, RNPRecipe
from keras_prune.methods.rnp.decisions import find_decisions
from keras_prune.methods.rnp.inference.model import RuntimePrunedModel
from keras_prune.methods.rnp.network import DecisionNetwork
from keras_prune.methods.rnp.ordering import ordered
from keras_prune.methods.rnp.run import run_recipe

__all__ = [
    "DecisionNetwork",
    "RNPConfig",
    "RNPRecipe",
    "RuntimePrunedModel",
    "find_decisions",
    "ordered",
    "run_recipe",
]
