"""Huang's filter agent: REINFORCE over the filters of one channel group after another."""

from typing import TYPE_CHECKING

from keras_prune.utils.lazy import lazy

if TYPE_CHECKING:
    from keras_prune.methods.filter_agent.config import FilterAgentConfig
    from keras_prune.methods.filter_agent.method import FilterAgent

__all__ = ["FilterAgent", "FilterAgentConfig"]

__getattr__, __dir__ = lazy(__name__, {"FilterAgent": ".method", "FilterAgentConfig": ".config"})
