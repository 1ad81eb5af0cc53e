"""A run of magnitude pruning on the terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_prune.reporting import PruningReport, RunDirectory


def show(report: "PruningReport | None", run: "RunDirectory") -> None:
    """Prints the report and the tables, if the last stage wrote them, and where all files lie."""
    import pandas as pd

    from keras_prune.methods.magnitude import TITLES

    from . import tables
    from .sparse import show_forms

    terminal = tables.console()
    if report:
        tables.show(report, terminal)
        for cost, title in TITLES.items():
            frame = pd.read_csv(run / f"{cost}.csv")
            terminal.print(tables.table(frame, f"{title}, zero weights left out"))
        texts = pd.read_csv(run / "summary.csv", dtype=object)
        columns = {name: pd.Series(map(_number, texts[name]), dtype=object) for name in texts}
        terminal.print(tables.table(pd.DataFrame(columns), "Summary"))
        show_forms(pd.read_csv(run / "sizes.csv"), "Files, on validation images", terminal)
    tables.show_directory(terminal, run.path)


def _number(text: str | float) -> str | float:
    """A cell as it was written: counts and accuracies stand in one column."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
