"""Huang's filter agent: REINFORCE over the filters of one channel group after another."""

from keras_prune.methods.filter_agent.agent import FilterAgentResult, prune_by_agent
from keras_prune.methods.filter_agent.config import FilterAgentConfig, FilterAgentRecipe
from keras_prune.methods.filter_agent.run import run_recipe

__all__ = [
    "FilterAgentConfig",
    "FilterAgentRecipe",
    "FilterAgentResult",
    "prune_by_agent",
    "run_recipe",
]
