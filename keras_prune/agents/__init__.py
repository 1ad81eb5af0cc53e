"""Reinforcement learning that knows no pruning."""

from keras_prune.agents.distribution import DistributionAgent, Tried
from keras_prune.agents.q_learning import QLearner
from keras_prune.agents.reinforce import BernoulliAgent, Sample
from keras_prune.agents.replay import Replay

__all__ = ["BernoulliAgent", "DistributionAgent", "QLearner", "Replay", "Sample", "Tried"]
