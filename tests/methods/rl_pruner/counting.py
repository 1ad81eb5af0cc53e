"""A stand-in for a network's value: how many channels stay."""

import numpy as np

from keras_prune.budgets import Budget
from keras_prune.methods.rl_pruner import PruningEnvironment
from tests.budgets.networks import dense_graph

GRAPH = dense_graph(a=8, b=8)
SCORES = {"a": np.arange(8.0), "b": np.arange(8.0)}


class Counting:
    """Values are weighted counts of what stays; what was asked is kept."""

    def __init__(self, weights=1.0):
        self.weights, self.asked = weights, []

    def evaluate(self, masks):
        self.asked.append(masks)
        return (np.asarray(masks, float) * self.weights).sum(axis=1)


def environment(depth=2, evaluator=None, **options):
    """Two groups of 8, and a budget of half of them in so many steps."""
    budgets = Budget(ratio=0.5).steps(depth, GRAPH)
    return PruningEnvironment(GRAPH, SCORES, budgets, evaluator or Counting(), **options)
