"""Graphs and scores that several tests of budgets share."""

import keras
import numpy as np
from keras import layers as kl

from keras_prune.graph import ChannelGraph
from tests.networks import conv, head, image


def dense_graph(**widths: int) -> ChannelGraph:
    """A chain of dense layers without biases, by name and width, from 10 inputs to 2 outputs."""
    x = i = keras.Input((10,))
    for name, width in widths.items():
        x = kl.Dense(width, use_bias=False, name=name)(x)
    return ChannelGraph(keras.Model(i, kl.Dense(2, use_bias=False, name="logits")(x)))


def residual_graph(width: int = 32) -> ChannelGraph:
    """Groups `stem` (joined with `out`) and `inner`."""
    x = conv(width, "stem")(i := image())
    y = kl.BatchNormalization(name="norm")(conv(width, "inner", activation="relu")(x))
    x = kl.Add()([x, conv(width, "out")(y)])
    return ChannelGraph(keras.Model(i, head(x)))


def random_scores(graph: ChannelGraph, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.gamma(1, size=group.channels) for name, group in graph.groups.items()}
