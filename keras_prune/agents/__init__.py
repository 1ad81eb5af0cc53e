"""Reinforcement learning that knows no pruning."""

from keras_prune.agents.distribution import DistributionAgent, Tried
from keras_prune.agents.reinforce import BernoulliAgent, Sample

__all__ = ["BernoulliAgent", "DistributionAgent", "Sample", "Tried"]
