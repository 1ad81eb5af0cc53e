"""What was computed for which images, as tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from keras_prune.methods.rnp.costs import Costs
from keras_prune.methods.rnp.decisions import Decisions


def multiplications(costs: Costs, actions: np.ndarray) -> pd.DataFrame:
    """Multiplications per convolution, for one image on average.

    Args:
        costs: what actions cost.
        actions: int from 0, `(images, decisions)`.

    Returns:
        Columns `layer`, `original`, `pruned` and `percent` (what is left); a row per convolution,
        one for the decisions themselves and the total of both.
    """
    frame = costs.layers(actions)
    frame.loc["decisions"] = 0.0, float(costs.overhead)
    frame.loc["total"] = frame.sum()
    frame["percent"] = 100 * frame["pruned"] / frame["original"].where(frame["original"] > 0)
    counts = ["original", "pruned"]
    frame[counts] = frame[counts].round().astype("int64")
    return frame.reset_index()


def action_shares(decisions: Decisions, actions: np.ndarray) -> pd.DataFrame:
    """How often each action was taken: a row per layer, a column in percent per number of sets."""
    taken = {
        step.name: 100 * np.bincount(column, minlength=decisions.sets) / len(actions)
        for step, column in zip(decisions.steps, actions.T, strict=True)
    }
    names = [_sets(number) for number in range(1, decisions.sets + 1)]
    frame = pd.DataFrame.from_dict(taken, orient="index", columns=names)
    return frame.rename_axis("layer").reset_index()


def by_class(
    decisions: Decisions,
    costs: Costs,
    actions: np.ndarray,
    labels: np.ndarray,
    right: np.ndarray,
    names: Sequence[str],
) -> pd.DataFrame:
    """What each class was given.

    Args:
        decisions: what was decided.
        costs: what actions cost.
        actions: int from 0, `(images, decisions)`.
        labels: the images' classes.
        right: whether the answers were right.
        names: the classes' names; empty where there are none.

    Returns:
        A row per class: `class`, `images`, `accuracy` and `multiplications` (both in percent), and
        for each layer the mean number of sets.
    """
    frame = pd.DataFrame(
        {
            "class": class_titles(labels, names),
            "images": 1,
            "accuracy": 100.0 * right,
            "multiplications": 100 * costs.images(actions) / costs.original,
            **{step.name: 1.0 + actions[:, n] for n, step in enumerate(decisions.steps)},
        }
    )
    grouped = frame.groupby("class", sort=True)
    means = grouped.mean(numeric_only=True).drop(columns="images")
    return pd.concat([grouped["images"].sum(), means], axis=1).reset_index()


def class_titles(labels: np.ndarray, names: Sequence[str]) -> list[str]:
    """The name of each label's class, or its number where classes have no names."""
    return [names[label] if names else str(label) for label in labels.tolist()]


def _sets(number: int) -> str:
    return "1 set" if number == 1 else f"{number} sets"
