"""A report as tables on the terminal."""

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from keras_prune.reporting import PruningReport


def show(report: "PruningReport", console: Console) -> None:
    """Prints the summary, the channels of every group, what was skipped and the notes."""
    from keras_prune.reporting import groups_frame, summary_frame

    title = f"{report.model} on {report.dataset}, pruned by {report.method}"
    console.print(table(summary_frame(report), title))
    console.print(table(groups_frame(report), "Channels kept"))
    for skipped in report.skipped:
        console.print(f"Not pruned: {skipped.name}: {skipped.reason}", highlight=False)
    for note in report.notes:
        console.print(f"Note: {note}", highlight=False)
    duration = f"{report.seconds:.0f} s, at most {report.peak_memory_mb:.0f} MB of memory"
    console.print(duration, highlight=False)


def table(frame: "pd.DataFrame", title: str) -> Table:
    """A data frame as a rich table: the first column to the left, numbers to the right."""
    rendered = Table(title=title, title_justify="left")
    for i, name in enumerate(frame.columns):
        heading = str(name).replace("_percent", " (%)").replace("_", " ")
        rendered.add_column(heading, justify="right" if i else "left")
    for row in frame.itertuples(index=False):
        rendered.add_row(*map(cell, row))
    return rendered


def cell(value: Any) -> str:
    """One cell: counts with thousands separators, other numbers with two decimals, NaN empty.

    >>> cell(14995146), cell(84.444), cell(float("nan"))
    ('14,995,146', '84.44', '')
    """
    if isinstance(value, str):
        return value
    if value != value:  # NaN
        return ""
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
