"""A report as tables on the terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pandas as pd

    from keras_prune.reporting import PruningReport


WIDTH = 180
"""Characters of a line where there is no terminal."""


def console() -> Console:
    """The terminal, or a file or pipe wide enough for tables."""
    found = Console()
    if not found.is_terminal:
        found.width = WIDTH
    return found


def show(report: "PruningReport", console: Console) -> None:
    """Prints the summary, the channels of every group where some left, what was skipped, notes."""
    from keras_prune.reporting import groups_frame, summary_frame

    title = f"{report.model} on {report.dataset}, pruned by {report.method}"
    console.print(table(summary_frame(report), title))
    if report.groups:
        console.print(table(groups_frame(report), "Channels kept"))
    for skipped in report.skipped:
        console.print(f"Not pruned: {skipped.name}: {skipped.reason}", highlight=False)
    for note in report.notes:
        console.print(f"Note: {note}", highlight=False)
    duration = f"{report.seconds:.0f} s, at most {report.peak_memory_mb:.0f} MB of memory"
    console.print(duration, highlight=False)


def show_run(report: "PruningReport", path: Path) -> None:
    """Prints a report and where the run lies."""
    import pandas as pd

    terminal = console()
    show(report, terminal)
    layers = pd.read_csv(path / "layers.csv")
    costs = layers.set_index("name").filter(like="parameters_")
    costs.columns = costs.columns.str.removeprefix("parameters_")
    terminal.print(table(costs[costs["before"] > 0].reset_index(), "Parameters by layer"))
    show_directory(terminal, path)


def show_directory(terminal: Console, path: Path) -> None:
    """Prints where the run lies, in one line that can be copied."""
    terminal.print(f"Run directory: {path}", highlight=False, soft_wrap=True, markup=False)


def table(frame: "pd.DataFrame", title: str) -> Table:
    """A data frame as a rich table: text to the left, numbers to the right.

    A terminal that is too narrow folds cells and never cuts them.
    """
    rendered = Table(title=Text(title), title_justify="left")
    for name in frame.columns:
        heading = str(name).replace("_percent", " (%)").replace("_", " ")
        is_text = all(isinstance(value, str) for value in frame[name])
        rendered.add_column(heading, justify="left" if is_text else "right", overflow="fold")
    for row in frame.itertuples(index=False):
        rendered.add_row(*(Text(cell(value)) for value in row))  # a bracket is no markup
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
