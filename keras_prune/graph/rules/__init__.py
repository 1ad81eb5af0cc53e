"""One rule per family of operations; importing this package registers them all."""

from keras_prune.graph.rules import (
    attention,
    blocks,
    channelwise,
    convolution,
    dense,
    embedding,
    filling,
    idle,
    joins,
    moving,
    norms,
    products,
    reductions,
    reshaping,
    scaling,
    sequences,
    slicing,
)
from keras_prune.graph.rules.base import Rule, has_rule, register, rule_for

__all__ = ["Rule", "has_rule", "register", "rule_for"]

_FAMILIES = (
    attention, blocks, channelwise, convolution, dense, embedding, filling, idle, joins, moving,
    norms, products, reductions, reshaping, scaling, sequences, slicing,
)  # fmt: skip
