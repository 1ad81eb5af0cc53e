"""Tables made from a report."""

import re
from typing import Any

import pandas as pd

from keras_prune.reporting.report import ModelFigures, PruningReport
from keras_prune.utils.progress import in_points
from keras_prune.utils.text import printable

COSTS = {"parameters": "Parameters", "macs": "MACs", "flops": "FLOPs", "bytes": "Size (bytes)"}


def summary_frame(report: PruningReport) -> pd.DataFrame:
    """What changed: one row per figure.

    Args:
        report: the report.

    Returns:
        Columns `figure`, `before`, `after`, `difference` (after - before) and `reduction_percent`
        (missing for the objective and the loss).
    """
    rows = []
    for name, title in (_qualities(report.objective) | COSTS).items():
        before, after = getattr(report.before, name), getattr(report.after, name)
        if before is None or after is None:  # without test data
            continue
        reduction = 100 * (1 - after / before) if name in COSTS and before else None
        rows.append((title, before, after, after - before, reduction))
    columns = ["figure", "before", "after", "difference", "reduction_percent"]
    # dtype object keeps counts as integers beside accuracies
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    return frame.astype({"figure": str, "reduction_percent": float})


def groups_frame(report: PruningReport) -> pd.DataFrame:
    """How many channels stayed: one row per group.

    Args:
        report: the report.

    Returns:
        Columns `group`, `channels`, `kept`, `removed` and `kept_percent`.
    """
    rows = [
        (g.name, g.channels, g.kept, g.channels - g.kept, 100 * g.kept / g.channels)
        for g in report.groups
    ]
    return pd.DataFrame(rows, columns=["group", "channels", "kept", "removed", "kept_percent"])


def figures_frame(figures: ModelFigures, objective: str = "accuracy") -> pd.DataFrame:
    """What one model is worth and what it costs: one row per figure.

    Args:
        figures: the model's figures.
        objective: the metric it was judged by.

    Returns:
        Columns `figure` and `value`.
    """
    titles = _qualities(objective) | COSTS
    rows = [(title, getattr(figures, name)) for name, title in titles.items()]
    return pd.DataFrame(rows, columns=["figure", "value"], dtype=object).astype({"figure": str})


def _qualities(objective: str) -> dict[str, str]:
    unit = " (%)" if in_points(objective) else ""
    shown = objective.replace("_", " ")
    found = {"test": f"Test {shown}{unit}", "validation": f"Validation {shown}{unit}"}
    return found if objective == "loss" else {**found, "loss": "Test loss"}


def markdown(frame: pd.DataFrame) -> str:
    """A table in Markdown: counts with thousands separators, other numbers with two decimals.

    What names hold is no markup of theirs.

    Example:

    >>> print(markdown(pd.DataFrame({"layer": ["fc1"], "before": [1200], "percent": [12.345]})))
    | layer | before | percent |
    | --- | ---: | ---: |
    | fc1 | 1,200 | 12.35 |
    <BLANKLINE>
    """
    texts = [all(isinstance(value, str) for value in frame[name]) for name in frame.columns]
    rows = [
        [_plain(str(name).replace("_", " ")) for name in frame.columns],
        ["---" if text else "---:" for text in texts],
        *([_cell(value) for value in row] for row in frame.itertuples(index=False)),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return _plain(value)
    if pd.isna(value):
        return ""
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


_MARKS = re.compile(r"[\\`*\[\]<>&|~]|(?<![^\W_])_|_(?![^\W_])")
"""An underscore between letters marks nothing."""


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\g<0>", printable(text))
