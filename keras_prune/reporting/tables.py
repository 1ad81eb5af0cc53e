"""Tables made from a report."""

import pandas as pd

from keras_prune.reporting.report import ModelFigures, PruningReport

COSTS = {"parameters": "Parameters", "macs": "MACs", "flops": "FLOPs", "bytes": "Size (bytes)"}
QUALITIES = {
    "accuracy": "Test accuracy (%)",
    "validation_accuracy": "Validation acc. (%)",
    "loss": "Test loss",
}


def summary_frame(report: PruningReport) -> pd.DataFrame:
    """What changed: one row per figure.

    Args:
        report: the report.

    Returns:
        Columns `figure`, `before`, `after`, `difference` (after - before) and `reduction_percent`
        (missing for accuracy and loss).
    """
    rows = []
    for field, title in (QUALITIES | COSTS).items():
        before, after = getattr(report.before, field), getattr(report.after, field)
        reduction = 100 * (1 - after / before) if field in COSTS and before else None
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


def figures_frame(figures: ModelFigures) -> pd.DataFrame:
    """What one model is worth and what it costs: one row per figure.

    Args:
        figures: the model's figures.

    Returns:
        Columns `figure` and `value`.
    """
    rows = [(title, getattr(figures, field)) for field, title in (QUALITIES | COSTS).items()]
    return pd.DataFrame(rows, columns=["figure", "value"], dtype=object).astype({"figure": str})
