"""Three tables and a summary: what each layer cost before and after, zero weights left out."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pandas as pd

from keras_prune.methods.magnitude.selection import is_kernel
from keras_prune.profiling import Change, compare
from keras_prune.reporting import PruningReport
from keras_prune.reporting.tables import markdown
from keras_prune.training.classifier import leaves
from keras_prune.training.objective import Objective

TITLES = {"parameters": "Parameters", "bytes": "Size (KB)", "flops": "FLOPs (K)"}
_UNITS = {"parameters": 1, "bytes": 1000, "flops": 1000}
_COLUMNS = ["layer", "before", "after", "difference", "reduction_percent"]


def layer_tables(before: keras.Model, after: keras.Model) -> dict[str, pd.DataFrame]:
    """A table of parameters, one of bytes and one of FLOPs, by the convention `lenet`.

    Parameters are the kernels' weights that are not zero, and all others; bytes are theirs in the
    type they are stored in. Layers that cost nothing are left out.

    Args:
        before: the network.
        after: the same network with weights that are zero.

    Returns:
        Cost -> table of columns `layer`, `before`, `after`, `difference` (after - before) and
        `reduction_percent`, whose last row is the total; in the units of `TITLES`.
    """
    flops = {name: costs["flops"] for name, costs in compare(before, after, "lenet").layers.items()}
    counts = _changes(_nonzero(before), _nonzero(after))
    sizes = _changes(_nonzero(before, size=True), _nonzero(after, size=True))
    costs = {"parameters": counts, "bytes": sizes, "flops": flops}
    return {cost: _table(changes, _UNITS[cost]) for cost, changes in costs.items()}


def summary(tables: Mapping[str, pd.DataFrame], report: PruningReport) -> pd.DataFrame:
    """The totals of all tables, how many times smaller they are, and what else changed.

    Args:
        tables: what `layer_tables` returns.
        report: where the objective is taken from.

    Returns:
        Columns `figure`, `before`, `after`, `difference` and `times_smaller` (missing for the
        objective).
    """
    title = Objective(report.objective, "min" if report.direction == "min" else "max").title
    rows: list[tuple[Any, ...]] = []
    for split in ("test", "validation"):
        before, after = getattr(report.before, split), getattr(report.after, split)
        if before is not None and after is not None:  # else there are no such data
            rows.append((f"{split.capitalize()} {title}", before, after, after - before, None))
    for cost, table in tables.items():
        total = table.iloc[-1]
        times = total["before"] / total["after"] if total["after"] else None
        rows.append((TITLES[cost], *total[["before", "after", "difference"]], times))
    columns = ["figure", "before", "after", "difference", "times_smaller"]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    return frame.astype({"figure": str, "times_smaller": float})


def as_markdown(tables: Mapping[str, pd.DataFrame], totals: pd.DataFrame) -> str:
    """The summary and all tables as one Markdown page."""
    parts = [f"## Summary\n\n{markdown(totals)}"]
    parts += [f"## {TITLES[cost]}\n\n{markdown(table)}" for cost, table in tables.items()]
    return "\n".join(parts)


def _table(changes: Mapping[str, Change], unit: int) -> pd.DataFrame:
    costly = {name: change for name, change in changes.items() if change.before or change.after}
    total = Change(
        sum(change.before or 0 for change in costly.values()),
        sum(change.after or 0 for change in costly.values()),
    )
    rows = [
        (name, *(_scaled(getattr(change, key), unit) for key in _COLUMNS[1:4]),
         change.reduction_percent)
        for name, change in (costly | {"total": total}).items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=_COLUMNS)


def _scaled(figure: int | None, unit: int) -> float | int | None:
    return figure if unit == 1 or figure is None else figure / unit


def _changes(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, Change]:
    return {name: Change(before.get(name, 0), after.get(name, 0)) for name in {**before, **after}}


def _nonzero(model: keras.Model, size: bool = False) -> dict[str, int]:
    """Layer -> its parameters, or their bytes, without the kernels' zeros."""
    return {
        layer.name: sum(
            _count(weight) * (np.dtype(weight.dtype).itemsize if size else 1)
            for weight in layer.weights
        )
        for layer in leaves(model)
    }


def _count(weight: keras.Variable) -> int:
    """A bias counts whole: zeros are what it starts with, and it is never pruned."""
    return int(keras.ops.count_nonzero(weight) if is_kernel(weight) else keras.ops.size(weight))
