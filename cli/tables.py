"""What a run came to as tables on the terminal."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from keras_prune.utils.reasons import reason

from .output import logger, outgoing, output

if TYPE_CHECKING:
    import pandas as pd

    from keras_prune.reporting import PruningReport, TrainingReport

WIDTH = 180
"""Characters of a line where there is no terminal."""

_NO_ZEROS = "zero weights left out"


class _Terminal(Console):
    """A console that shows every text as it is: a bracket is no markup, an escape no colour."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """A text of one line; titles and cells of tables pass here, too."""
        return super().render_str(outgoing(text), **options)


def console(*, stderr: bool = False) -> Console:
    """The terminal, or a file or pipe wide enough for tables."""
    found = _Terminal(stderr=stderr)
    if not found.is_terminal:
        found.width = WIDTH
    return found


def show_run(report: "PruningReport | TrainingReport | None", path: Path) -> None:
    """Prints a report, if the run came to one, the tables of its method, and where it lies."""
    from keras_prune.reporting import PruningReport, TrainingReport, figures_frame

    terminal = console()
    if not output().quiet:
        if isinstance(report, TrainingReport):
            title = f"{report.model} on {report.dataset}"
            terminal.print(table(figures_frame(report.figures), title))
        if isinstance(report, PruningReport):
            show(report, terminal)
            for name, (title, made) in _OF_METHODS.get(report.method, _LAYERS).items():
                if (path / name).exists():
                    _shown(path / name, title, made, terminal)
    terminal.print(f"Run directory: {path}", soft_wrap=True)


def _shown(path: Path, title: str, made: "_Show", terminal: Console) -> None:
    try:
        made(path, title, terminal)
    except Exception as error:  # whatever a table of others leads pandas to
        logger.warning("%s cannot be shown: %s", path, reason(error))


def show(report: "PruningReport", console: Console) -> None:
    """Prints the summary, the channels of every group where some left, what was skipped, notes."""
    from keras_prune.reporting import groups_frame, summary_frame

    title = f"{report.model} on {report.dataset}, pruned by {report.method}"
    console.print(table(summary_frame(report), title))
    if report.groups:
        console.print(table(groups_frame(report), "Channels kept"))
    for skipped in report.skipped:
        console.print(f"Not pruned: {skipped.name}: {skipped.reason}")
    for note in report.notes:
        console.print(f"Note: {note}")
    duration = f"{report.seconds:.0f} s, at most {report.peak_memory_mb:.0f} MB of memory"
    console.print(duration)


def _as_it_is(path: Path, title: str, terminal: Console) -> None:
    import pandas as pd

    terminal.print(table(pd.read_csv(path), title))


def _parameters(path: Path, title: str, terminal: Console) -> None:
    import pandas as pd

    costs = pd.read_csv(path).set_index("name").filter(like="parameters_")
    costs.columns = costs.columns.str.removeprefix("parameters_")
    terminal.print(table(costs[costs["before"] > 0].reset_index(), title))


def _mixed(path: Path, title: str, terminal: Console) -> None:
    """A table whose columns hold counts and accuracies: every cell as it was written."""
    import pandas as pd

    texts = pd.read_csv(path, dtype=object)
    columns = {name: pd.Series(map(_number, texts[name]), dtype=object) for name in texts}
    terminal.print(table(pd.DataFrame(columns), title))


def _files(path: Path, title: str, terminal: Console) -> None:
    import pandas as pd

    from .sparse import show_forms

    show_forms(pd.read_csv(path), title, terminal)


_Show = Callable[[Path, str, Console], None]
_Tables = dict[str, tuple[str, _Show]]
_LAYERS: _Tables = {"layers.csv": ("Parameters by layer", _parameters)}

# Method -> table of the run directory -> its title, and what shows it; else `_LAYERS`.
_OF_METHODS: dict[str, _Tables] = {
    "magnitude": {
        "parameters.csv": (f"Parameters, {_NO_ZEROS}", _as_it_is),
        "bytes.csv": (f"Size (KB), {_NO_ZEROS}", _as_it_is),
        "flops.csv": (f"FLOPs (K), {_NO_ZEROS}", _as_it_is),
        "summary.csv": ("Summary", _mixed),
        "sizes.csv": ("Files, on validation images", _files),
    },
    "rnp": {
        "multiplications.csv": (
            "Multiplications of convolutions, for one image on average",
            _as_it_is,
        ),
        "actions.csv": ("How often each number of sets was computed (%)", _as_it_is),
        "classes.csv": ("By class: accuracy (%), multiplications (%), mean sets", _as_it_is),
        "latency.csv": ("Latency of an image, dense and pruned", _as_it_is),
    },
}


def _number(text: str | float) -> str | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def table(frame: "pd.DataFrame", title: str) -> Table:
    """A data frame as a rich table: text to the left, numbers to the right.

    A terminal that is too narrow folds cells and never cuts them.
    """
    rendered = Table(title=title, title_justify="left")
    for name in frame.columns:
        heading = str(name).replace("_percent", " (%)").replace("_", " ")
        is_text = all(isinstance(value, str) for value in frame[name])
        rendered.add_column(heading, justify="left" if is_text else "right", overflow="fold")
    for row in frame.itertuples(index=False):
        rendered.add_row(*map(cell, row))
    return rendered


def cell(value: Any) -> str:
    """One cell: counts with thousands separators, other numbers with two decimals, nothing empty.

    >>> cell(14995146), cell(84.444), cell(float("nan")), cell(None)
    ('14,995,146', '84.44', '', '')
    """
    if isinstance(value, str):
        return value
    if value is None or value != value:  # NaN
        return ""
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
