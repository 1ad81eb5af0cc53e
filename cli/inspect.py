"""`keras-prune inspect`: what can be pruned in a model, what stays, and why."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options as shared
from .command import command
from .output import say_json
from .starting import quietly

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from keras_prune.graph import GraphSummary


@command()
@click.argument("model", type=shared.FILE)
@shared.as_json
@click.option("--plot", type=shared.FILE, help="Draw the calls: .svg or .png.")
def inspect(model: Path, as_json: bool, plot: Path | None) -> None:
    """Show which channels of MODEL, a .keras file, can be pruned.

    Groups are channels that stay or leave together, with what one channel costs. Pinned channels
    must stay; a barrier is an operation that no rule knows, so that all it touches stays.
    """
    with quietly():
        from keras_prune.graph import ChannelGraph
        from keras_prune.reporting.graph_plot import check_path, draw
        from keras_prune.runtimes.loading import load_model
    if plot:
        check_path(plot)
    graph = ChannelGraph(load_model(model))
    summary = graph.summary()
    if plot:
        draw(graph, plot)
    if as_json:
        say_json(summary.to_dict())
        return
    from .tables import console

    terminal = console()
    _show(summary, terminal)
    if plot:
        terminal.print(f"Drawing: {plot}", soft_wrap=True)


def _show(summary: "GraphSummary", console: "Console") -> None:
    parts = {
        "Groups": [
            {
                "group": row.name,
                "channels": f"{row.channels:,}",
                "parameters of one": str(row.parameters),
                "MACs of one": str(row.macs or "?"),
                "members": ", ".join(row.layers),
            }
            for row in summary.groups
        ],
        "Pinned channels": [
            {
                "layer": row.layer,
                "channels": f"{row.pinned:,} of {row.channels:,}",
                "why": "; ".join(row.reasons),
            }
            for row in summary.pinned
        ],
        "Barriers": [{"operation": row.name, "why": row.reason} for row in summary.barriers],
    }
    for title, rows in parts.items():
        if rows:
            console.print(_table(title, rows))
        else:
            console.print(f"{title}: none")
    blocks = ", ".join(summary.blocks) or "none"
    console.print(f"Residual blocks that can leave whole: {blocks}")


_TEXT = {"group", "layer", "operation", "members", "why"}


def _table(title: str, rows: Sequence[Mapping[str, str]]) -> "Table":
    """Rows as a table; a terminal that is too narrow folds cells and never cuts them."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name, justify="left" if name in _TEXT else "right", overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    return table
