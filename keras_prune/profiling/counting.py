"""The counts that conventions are made of, each for one call on one example."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from keras_prune.graph import Call
from keras_prune.graph.work import macs, on_all_rows


class Work(NamedTuple):
    """What a layer does to one example.

    Args:
        macs: multiply-accumulates.
        flops: floating-point operations.
    """

    macs: int
    flops: int


def total_macs(calls: Sequence[Call]) -> int:
    """Multiply-accumulates of all calls of a layer."""
    return sum(macs(call) for call in calls)


def output_elements(call: Call) -> int:
    """How many numbers the call returns."""
    return on_all_rows(call, sum(math.prod(tensor.shape[1:]) for tensor in call.outputs))
