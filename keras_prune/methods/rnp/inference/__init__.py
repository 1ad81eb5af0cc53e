"""Networks that decide at run time, computed so that what is not asked for costs no time."""

from keras_prune.methods.rnp.inference.latency import compare_latency
from keras_prune.methods.rnp.inference.model import BATCHINGS, RuntimePrunedModel

__all__ = ["BATCHINGS", "RuntimePrunedModel", "compare_latency"]
