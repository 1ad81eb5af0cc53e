"""One rule per family of operations; importing this package registers them all."""

from keras_prune.graph.rules import (
    attention,
    bare_attention,
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
    recurrent,
    reductions,
    reshaping,
    scaling,
    slicing,
    wrappers,
)
from keras_prune.graph.rules.base import Rule, has_rule, register, rule_for

__all__ = ["Rule", "has_rule", "register", "rule_for"]

_FAMILIES = (
    attention, bare_attention, blocks, channelwise, convolution, dense, embedding, filling, idle,
    joins, moving, norms, products, recurrent, reductions, reshaping, scaling, slicing, wrappers,
)  # fmt: skip
