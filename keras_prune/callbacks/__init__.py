"""Keras callbacks: pruning, and training for it, inside a training of your own."""

from keras_prune.callbacks.magnitude import MagnitudePruning
from keras_prune.training.sparsity import GroupLasso, GrowingRegularization, ScaleSparsity

__all__ = ["GroupLasso", "GrowingRegularization", "MagnitudePruning", "ScaleSparsity"]
