"""Tables of costs as text for a terminal."""

from collections.abc import Mapping

import pandas as pd

from keras_prune.utils.text import printable


def as_text(frame: pd.DataFrame, total: Mapping[str, object]) -> str:
    """A table with a last row of totals; counts with thousands separators, `?` for unknown ones.

    Args:
        frame: one row per layer, indexed by name.
        total: column -> its total; other columns stay empty in the last row.

    Example:

    >>> frame = pd.DataFrame({"macs": [1200, 34]}, index=["conv", "dense"])
    >>> print(as_text(frame, {"macs": 1234}))
            macs
    conv   1,200
    dense     34
    total  1,234
    """
    cells = frame.astype(object).map(_cell)
    cells.loc["total"] = [_cell(total.get(column, "")) for column in frame.columns]
    cells.index = pd.Index([printable(str(name)) for name in cells.index])
    return cells.to_string()


def _cell(value: object) -> str:
    if value is pd.NA or value is None:
        return "?"
    if isinstance(value, float):
        return f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else printable(str(value))
