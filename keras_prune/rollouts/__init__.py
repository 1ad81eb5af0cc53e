"""What a network is worth with some of its channels silenced: masks in, values out."""

from __future__ import annotations

from collections.abc import Sequence

from keras_prune.graph import ChannelGraph, ChannelGroup, ResidualBlock
from keras_prune.rollouts.base import Evaluator
from keras_prune.rollouts.local import LocalEvaluator
from keras_prune.rollouts.pool import Pool
from keras_prune.rollouts.silenced import SilencedEvaluator
from keras_prune.training.task import Examples, Task

__all__ = ["Evaluator", "LocalEvaluator", "Pool", "SilencedEvaluator", "evaluator"]


def evaluator(
    graph: ChannelGraph,
    groups: Sequence[ChannelGroup | ResidualBlock],
    task: Task,
    examples: Examples | None = None,
    *,
    precision: str = "float32",
    pool: Pool | None = None,
) -> Evaluator:
    """What measures masks on some groups of a network, by the task's objective.

    Args:
        graph: the walked network.
        groups: the groups and residual blocks that are being decided.
        task: bound to the network.
        examples: what is measured on; default all validation examples.
        precision: `"float32"` or `"mixed_bfloat16"`.
        pool: processes that measure; default: this one does.
    """
    if task.own_evaluate:
        return SilencedEvaluator(graph, groups, task)
    if examples is None:
        examples = task.examples("validation")
    if pool is not None:
        return pool.evaluator(graph, groups, task, examples, precision)
    return LocalEvaluator(graph, groups, task, examples, precision)
