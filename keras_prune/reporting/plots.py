"""Plots of what a run measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_prune.reporting.graph_plot import as_label, check_path, save

if TYPE_CHECKING:
    import pandas as pd

_SIZE = (8.0, 5.0)  # inches
_WIDTH, _HEIGHT = 0.22, 4.5  # inches, for a group and for all
_ROOM = 2.5


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
        for name, rows in frame[frame["ratio"] > 0].groupby("group", sort=False)
    }
    draw_lines(lines, "pruning ratio of the group", "validation accuracy (%)", path)


def draw_curves(
    epochs: Iterable[Mapping[str, Any]],
    objective: str,
    unit: str,
    baseline: float,
    path: str | Path,
) -> None:
    """Draws the objective on the validation data over epochs, a line per training.

    Args:
        epochs: rows with `stage`, `epoch`, and where it was measured `val_<objective>`.
        objective: the metric.
        unit: its unit.
        baseline: the objective of the unpruned network, drawn as a line.
        path: an `.svg` or `.png` file.

    Raises:
        ConfigError: the suffix is another, or the file cannot be written.
    """
    curves: dict[str, tuple[list[float], list[float]]] = {}
    for row in epochs:
        if f"val_{objective}" in row:
            numbers, values = curves.setdefault(str(row["stage"]), ([], []))
            numbers.append(row["epoch"])
            values.append(row[f"val_{objective}"])
    longest = max((numbers[-1] for numbers, _ in curves.values()), default=1)
    lines = {"unpruned": ([1, longest], [baseline] * 2), **curves}
    shown = f"validation {objective.replace('_', ' ')}{f' ({unit})' if unit else ''}"
    draw_lines(lines, "epoch", shown, path)


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
        axes.plot(x, y, marker=".", label=as_label(name))
    axes.set_xlabel(horizontal)
    axes.set_ylabel(vertical)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", ncols=1 + len(lines) // 16)
    save(figure, path)


def draw_shares(shares: Sequence[Mapping[str, float]], path: str | Path) -> None:
    """Draws the share of each group, a line per stage; stage 0 is the outset.

    Args:
        shares: for each stage, group -> share, of the same groups.
        path: an `.svg` or `.png` file.

    Raises:
        ConfigError: the suffix is another, or the file cannot be written.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    path = Path(path)
    check_path(path)
    names = list(shares[0])
    figure = Figure(figsize=(_ROOM + _WIDTH * max(len(names), 16), _HEIGHT), layout="constrained")
    axes = figure.add_subplot()
    colors, labels = colormaps["viridis"], [as_label(name) for name in names]
    for stage, now in enumerate(shares):
        color = colors(stage / max(len(shares) - 1, 1))
        values = [100 * now[name] for name in names]
        axes.plot(labels, values, marker=".", color=color, label=f"stage {stage}")
    axes.set_ylabel("share of the channels that leave (%)")
    axes.tick_params(axis="x", labelrotation=90, labelsize="small")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    save(figure, path)
