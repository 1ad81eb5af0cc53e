"""Networks that decide at run time, computed so that what is not asked for costs no time."""

from keras_prune.methods.rnp.inference.latency import latencies
from keras_prune.methods.rnp.inference.model import BATCHINGS, RuntimePrunedModel

__all__ = ["BATCHINGS", "RuntimePrunedModel", "latencies"]
