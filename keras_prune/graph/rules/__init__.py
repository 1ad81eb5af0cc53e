"""One rule per family of operations; importing this package registers them all."""

from keras_prune.graph.rules import (
    blocks,
    channelwise,
    convolution,
    dense,
    embedding,
    filling,
    joins,
    moving,
    norms,
    reductions,
    reshaping,
    scaling,
    slicing,
)
from keras_prune.graph.rules.base import Rule, has_rule, register, rule_for

__all__ = ["Rule", "has_rule", "register", "rule_for"]

_FAMILIES = (
    blocks, channelwise, convolution, dense, embedding, filling, joins, moving, norms, reductions,
    reshaping, scaling, slicing,
)  # fmt: skip
