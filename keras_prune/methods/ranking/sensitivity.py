"""How much accuracy each group costs, alone, at each pruning ratio."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from keras_prune.criteria import Scores
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph, ChannelGroup, Role
from keras_prune.methods.rollouts import Rollouts
from keras_prune.progress import Progress, Watcher, silent

RATIOS = tuple(round(0.1 * tenth, 1) for tenth in range(1, 10))


def sensitivity(
    graph: ChannelGraph,
    scores: Scores,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    ratios: Sequence[float] = RATIOS,
    precision: str = "float32",
    watcher: Watcher = silent,
) -> pd.DataFrame:
    """Silences the lowest channels of one group at a time and measures the accuracy.

    A group is all channels that leave together: where layers are added, the filters of all of them
    go at once, so a row is about the group and never about one of its layers. Nothing is
    fine-tuned; BatchNormalization behind the group uses the statistics of `images`.

    Args:
        graph: the walked model; one image input, one output of class scores.
        scores: group -> `(channels,)`, higher = keep, as a criterion gives them.
        images: held-out images, never the test split; float32.
        labels: their classes, int.
        ratios: pruning ratios, each the fraction of a group's channels *removed*, in (0, 1);
            default 0.1, 0.2, ... 0.9. Each group keeps at least one channel.
        precision: `"float32"` or `"mixed_bfloat16"`.
        watcher: told of every group.

    Returns:
        A row per group and ratio: `group`, `layers` (whose filters leave together), `channels`,
        `ratio`, `kept`, `accuracy` (percent) and `drop` (points below the whole network's).

    Raises:
        ConfigError: a ratio is out of range.
        ModelError: nothing can be pruned.
    """
    graph.require_groups()
    for ratio in ratios:
        if not 0 < ratio < 1:
            raise ConfigError(f"Expected ratios between 0 and 1. Received: {ratio}.")
    rows: list[dict[str, object]] = []
    for number, group in enumerate(graph.groups.values(), 1):
        rollouts = Rollouts(graph, [group], images, labels, precision)
        whole = rollouts.accuracy(np.ones(group.channels))
        for ratio in sorted(ratios):
            mask = _highest(scores[group.name], ratio)
            accuracy = rollouts.accuracy(mask)
            figures = {"ratio": ratio, "kept": int(mask.sum()), "accuracy": accuracy}
            rows.append(_about(graph, group) | figures | {"drop": whole - accuracy})
        watcher(Progress(f"group {group.name}", number, len(graph.groups), {"accuracy": accuracy}))
    return pd.DataFrame(rows)


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
