"""Reinforcement learning that knows no pruning."""

from keras_prune.agents.reinforce import BernoulliAgent, Sample

__all__ = ["BernoulliAgent", "Sample"]
