"""Curves of accuracy, as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from keras_prune.reporting.drawing import check_path, save

if TYPE_CHECKING:
    import pandas as pd

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
    draw_lines(lines, "pruning ratio of the group", "validation accuracy (%)", path)


def draw_accuracy(curves: Mapping[str, tuple[list[float], list[float]]], path: str | Path) -> None:
    """Draws validation accuracy over epochs, a line per training.

    Args:
        curves: name -> epochs and accuracies in percent.
        path: an `.svg` or `.png` file.

    Raises:
        ConfigError: the suffix is another, or the file cannot be written.
    """
    draw_lines(curves, "epoch", "validation accuracy (%)", path)


def draw_lines(
    lines: Mapping[str, tuple[list[float], list[float]]],
    horizontal: str,
    vertical: str,
    path: str | Path,
) -> None:
    """Draws lines of points.

    Args:
        lines: name -> the points' places along both axes.
        horizontal, vertical: what the axes are called.
        path: an `.svg` or `.png` file.

    Raises:
        ConfigError: the suffix is another, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    path = Path(path)
    check_path(path)
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    for name, (x, y) in lines.items():
        axes.plot(x, y, marker=".", label=name)
    axes.set_xlabel(horizontal)
    axes.set_ylabel(vertical)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", ncols=1 + len(lines) // 16)
    save(figure, path)
