"""The counts that conventions are made of, each for one call on one example."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from keras_prune.graph import Call, rule_for


class Work(NamedTuple):
    """What a layer does to one example.

    Args:
        macs: multiply-accumulates.
        flops: floating-point operations.
    """

    macs: int
    flops: int


def macs(call: Call) -> int:
    """Multiply-accumulates, as the operation's rule counts them.

    Raises:
        Unsupported: the operation has no rule.
    """
    return rule_for(call.operation).macs(call)


def total_macs(calls: Sequence[Call]) -> int:
    """Multiply-accumulates of all calls of a layer."""
    return sum(macs(call) for call in calls)


def output_elements(call: Call) -> int:
    """How many numbers the call returns."""
    return sum(math.prod(tensor.shape[1:]) for tensor in call.outputs)


def bias_additions(call: Call) -> int:
    """Additions of biases, as the operation's rule counts them."""
    return rule_for(call.operation).additions(call)
