"""Curves of accuracy, as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from keras_prune.reporting.drawing import check_path
from keras_prune.writing import whole_file

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_SIZE = (8.0, 5.0)  # inches


def draw_sensitivity(frame: pd.DataFrame, path: str | Path) -> None:
    """Draws accuracy over the pruning ratio, a line per group.

    Args:
        frame: rows with `group`, `ratio` and `accuracy` (percent), as `sensitivity` returns them.
        path: an `.svg` or `.png` file.

    Raises:
        ConfigError: the suffix is another, or the file cannot be written.
    """
    lines = {
        str(name): (rows["ratio"].tolist(), rows["accuracy"].tolist())
        for name, rows in frame.groupby("group", sort=False)
    }
    _draw(lines, "pruning ratio of the group", path)


def draw_accuracy(curves: Mapping[str, tuple[list[float], list[float]]], path: str | Path) -> None:
    """Draws validation accuracy over epochs, a line per training.

    Args:
        curves: name -> epochs and accuracies in percent.
        path: an `.svg` or `.png` file.

    Raises:
        ConfigError: the suffix is another, or the file cannot be written.
    """
    _draw(curves, "epoch", path)


def _draw(
    lines: Mapping[str, tuple[list[float], list[float]]], horizontal: str, path: str | Path
) -> None:
    from matplotlib.figure import Figure

    path = Path(path)
    check_path(path)
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    for name, (x, y) in lines.items():
        axes.plot(x, y, marker=".", label=name)
    axes.set_xlabel(horizontal)
    axes.set_ylabel("validation accuracy (%)")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", ncols=1 + len(lines) // 16)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    with whole_file(path) as draft:
        figure.savefig(draft, format=path.suffix[1:].lower())
