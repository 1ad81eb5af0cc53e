"""A budget of time: measured on pruned models, not estimated."""

from collections.abc import Callable
from statistics import median

import keras

from keras_prune.budgets.channel_order import TOLERANCE
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune_graph

Measure = Callable[[keras.Model], float]
"""A model's latency in seconds."""

PROBES = 8
ROUNDS = 3


def share_of(measure: Measure, model: keras.Model, original: keras.Model) -> float:
    """The latency of a model as a fraction of the original's.

    The two are measured in turns, so that what slows the machine down for a while slows both.

    Raises:
        ConfigError: `measure` returned no time.
    """
    turns = [(measure(original), measure(model)) for _ in range(ROUNDS)]
    before, after = (median(times) for times in zip(*turns, strict=True))
    if not (before > 0 and after > 0):
        raise ConfigError(
            f"measure: expected seconds above 0. Received: {before!r} for the original, {after!r}."
        )
    return after / before


def fastest_within(
    target: float,
    whole: float,
    plan_for: Callable[[float], PruningPlan],
    graph: ChannelGraph,
    share: Callable[[keras.Model], float],
) -> tuple[PruningPlan, float]:
    """The largest plan found whose pruned model is as fast as it shall be.

    Bisection over the fraction of MACs kept, at most `PROBES` measurements.

    Args:
        target: the fraction of latency that may be left.
        whole: the fraction of the original's MACs that the graph's model has.
        plan_for: the plan that keeps a fraction of MACs.
        graph: the graph that plans are for.
        share: a model's latency as a fraction of the original's.

    Returns:
        The plan and the latency it was measured at; the fastest one tried if none is fast enough.
    """
    low, high, probe = 0.0, whole, target * whole
    tried: list[tuple[PruningPlan, float]] = []
    for _ in range(PROBES):
        plan = plan_for(probe)
        if plan in [known for known, _ in tried]:
            break  # whole channels admit nothing in between
        tried.append((plan, share(prune_graph(graph, plan))))
        latency = tried[-1][1]
        if (1 - TOLERANCE) * target <= latency <= target:
            break
        low, high = (probe, high) if latency <= target else (low, probe)
        probe = (low + high) / 2
    fast_enough = [found for found in tried if found[1] <= target]
    return max(fast_enough, key=_latency) if fast_enough else min(tried, key=_latency)


def _latency(found: tuple[PruningPlan, float]) -> float:
    return found[1]
