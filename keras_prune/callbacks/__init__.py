"""Keras callbacks: pruning inside a training of your own."""

from keras_prune.callbacks.magnitude import MagnitudePruning

__all__ = ["MagnitudePruning"]
