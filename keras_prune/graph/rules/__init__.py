"""One rule per family of operations; importing this package registers them all."""

from keras_prune.graph.rules import channelwise, convolution, dense, joins, norms, shapes
from keras_prune.graph.rules.base import Rule, has_rule, register, rule_for

__all__ = ["Rule", "has_rule", "register", "rule_for"]

_FAMILIES = (channelwise, convolution, dense, joins, norms, shapes)
