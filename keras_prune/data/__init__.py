"""Data sets as tf.data pipelines with enforced train, validation and test splits."""

from keras_prune.data.catalogue import available
from keras_prune.data.images import inputs_from_files
from keras_prune.data.load import load
from keras_prune.data.splits import Splits

__all__ = ["Splits", "available", "inputs_from_files", "load"]
