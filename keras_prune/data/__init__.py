"""Data sets as tf.data pipelines with enforced train, validation and test splits."""

from keras_prune.data.load import available, load
from keras_prune.data.splits import Splits

__all__ = ["Splits", "available", "load"]
