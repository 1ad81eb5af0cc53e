"""What each group costs, alone, at each pruning ratio."""

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import numpy as np
import pandas as pd

from keras_prune.criteria import Scores
from keras_prune.data import Splits
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph, ChannelGroup, Role
from keras_prune.rollouts import Pool, evaluator
from keras_prune.training import Task
from keras_prune.training.trainer import as_task
from keras_prune.utils.arguments import expect_kind
from keras_prune.utils.progress import Progress, Watcher, silent

WHOLE = "none"
"""Stands in the place of a group in the row of the whole network."""

RATIOS = tuple(round(0.1 * tenth, 1) for tenth in range(1, 10))


def sensitivity(
    graph: ChannelGraph,
    scores: Scores,
    task: Task | Splits,
    *,
    images: int | None = None,
    ratios: Sequence[float] = RATIOS,
    precision: str = "float32",
    workers: int = 1,
    watcher: Watcher = silent,
) -> pd.DataFrame:
    """Silences the lowest channels of one group at a time and measures the objective.

    A group is all channels that leave together: where layers are added, the filters of all of them
    go at once, so a row is about the group and never about one of its layers. Nothing is
    fine-tuned; BatchNormalization behind any group uses the statistics of the examples, in all rows
    alike.

    Args:
        graph: the walked model.
        scores: group -> `(channels,)`, higher = keep, as a criterion gives them.
        task: whose validation data and objective count; a data set of `kp.data.load` is a task.
        images: validation examples that are measured on; default all.
        ratios: pruning ratios, each the fraction of a group's channels *removed*, in (0, 1);
            default 0.1, 0.2, ... 0.9. Each group keeps at least one channel.
        precision: `"float32"` or `"mixed_bfloat16"`.
        workers: processes that measure; the values do not depend on it.
        watcher: told of every group.

    Returns:
        A row of the whole network (group `"none"`, ratio 0), and one per group and ratio: `group`,
        `layers` (whose filters leave together), `channels`, `ratio`, `kept`, the objective under
        its own name (accuracies in percent) and `drop` (by how much it is worse than the whole
        network's in the first row).

    Raises:
        ConfigError: a ratio is out of range.
        ModelError: nothing can be pruned.
    """
    expect_kind(graph, ChannelGraph, "graph", "a ChannelGraph: kp.ChannelGraph(model)")
    expect_kind(scores, Mapping, "scores", "scores by group, as a criterion gives them")
    graph.require_groups()
    for ratio in ratios:
        if not 0 < ratio < 1:
            raise ConfigError(f"Expected ratios between 0 and 1. Received: {ratio}.")
    bound = as_task(task, graph.model)
    metric = bound.objective.metric
    examples = bound.examples("validation", images)
    scored = [graph.groups[name] for name in graph.groups if name in scores]
    with Pool(workers) if workers > 1 else nullcontext() as pool:
        measure = evaluator(graph, scored, bound, examples, precision=precision, pool=pool)
        [whole] = measure.evaluate(_masks(scored, None, [])).tolist()
        channels = sum(group.channels for group in scored)
        whole_row = {"group": WHOLE, "layers": "", "channels": channels, "ratio": 0.0}
        rows = [whole_row | {"kept": channels, metric: whole, "drop": 0.0}]
        for number, group in enumerate(scored, 1):
            kept = [_highest(scores[group.name], ratio) for ratio in sorted(ratios)]
            values = measure.evaluate(_masks(scored, group, kept)).tolist()
            rows += [
                _about(graph, group)
                | {"ratio": ratio, "kept": int(mask.sum()), metric: value}
                | {"drop": bound.objective.drop(whole, value)}
                for ratio, mask, value in zip(sorted(ratios), kept, values, strict=True)
            ]
            watcher(Progress(f"group {group.name}", number, len(scored), {metric: values[-1]}))
    return pd.DataFrame(rows)


def _masks(
    groups: Sequence[ChannelGroup], cut: ChannelGroup | None, kept: Sequence[np.ndarray]
) -> np.ndarray:
    """A row for each mask of the group that is cut, all others whole; one if none is."""
    rows = max(len(kept), 1)
    parts = [
        np.stack(kept) if group is cut else np.ones((rows, group.channels), "float32")
        for group in groups
    ]
    return np.concatenate(parts, axis=1)


def _highest(scores: np.ndarray, ratio: float) -> np.ndarray:
    """The mask of the highest scores; of equal ones the lower index stays."""
    kept = max(1, math.ceil(len(scores) * (1 - ratio) - 1e-9))
    mask = np.zeros(len(scores), "float32")
    mask[np.argsort(-scores, kind="stable")[:kept]] = 1
    return mask


def _about(graph: ChannelGraph, group: ChannelGroup) -> dict[str, object]:
    makers = [graph.paths[id(maker.binding.layer)] for maker in group.by_role(Role.PRODUCER)]
    layers = ", ".join(dict.fromkeys(makers))
    return {"group": group.name, "layers": layers, "channels": group.channels}
