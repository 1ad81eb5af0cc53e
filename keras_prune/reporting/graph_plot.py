"""A drawing of a model's calls, coloured by the group whose channels they return."""

from __future__ import annotations

import colorsys
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph, Role
from keras_prune.reporting.graph_layout import Lane, Node, lanes, nodes
from keras_prune.utils.files import whole_file
from keras_prune.utils.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Color = tuple[float, float, float]

SUFFIXES = (".svg", ".png")
WIDTH, HEIGHT = 2.4, 0.24
"""Of a call's box, in inches."""

STEP_X, STEP_Y, LANE, LEGEND = 2.6, 0.42, 0.12, 3.2
GREY, RED = (0.88, 0.88, 0.88), (0.8, 0.1, 0.1)
MOST_PIXELS = 60_000
"""Along one side of a PNG; matplotlib refuses 65,536."""


def check_path(path: Path) -> None:
    """Raises a `ConfigError` if no drawing can be written there."""
    if path.suffix.lower() not in SUFFIXES:
        expected = " or ".join(SUFFIXES)
        raise ConfigError(f"A drawing is written as {expected}. Received: {path}.")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise ConfigError(
            f"Cannot write the drawing {path}. Give a file in a directory that exists and that you "
            "may write to."
        )


def save(figure: Figure, path: Path) -> None:
    """Writes a drawing in the format of the path's suffix, whole or not at all."""
    with whole_file(path) as draft:
        figure.savefig(draft, format=path.suffix[1:].lower())


def as_label(name: str) -> str:
    """A name as matplotlib draws it: a dollar begins no formula."""
    return printable(name).replace("$", r"\$")


def draw(graph: ChannelGraph, path: str | Path) -> None:
    """Draws the calls of a model, inputs on top.

    A call has the colours of the groups whose channels it returns, in proportion, and is grey as
    far as they stay. A thick frame is a layer that makes a group's channels, a red one a barrier.

    Args:
        graph: the graph.
        path: an `.svg` or `.png` file.

    Raises:
        ConfigError: the suffix is another, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    path = Path(path)
    check_path(path)
    placed = nodes(graph)
    ways = list(lanes(placed))
    colors = _colors(graph)
    widest = max((abs(node.place) for node in placed), default=0) * STEP_X + WIDTH / 2
    right = widest + LANE * (2 + max((way.number for way in ways), default=0))
    bottom = STEP_Y * (1 + max([node.row for node in placed] + [len(colors) + 2]))
    figure = Figure(figsize=(LEGEND + widest + right, STEP_Y + bottom))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-widest - LEGEND, right), ylim=(bottom, -STEP_Y))
    axes.axis("off")
    _draw_edges(axes, placed, ways, widest)
    _draw_nodes(axes, placed, graph, colors)
    _draw_legend(axes, colors, -widest - LEGEND + 0.2)
    try:
        with whole_file(path) as file:
            figure.savefig(file, dpi=min(100, MOST_PIXELS / max(figure.get_size_inches())))
    except OSError as error:
        raise ConfigError(f"Cannot write the drawing {path}: {error.strerror}.") from error


def _colors(graph: ChannelGraph) -> dict[str, Color]:
    """A colour for every group; the golden ratio keeps the hues of neighbours far apart."""
    return {
        name: colorsys.hls_to_rgb(0.618 * number % 1, (0.68, 0.82)[number % 2], 0.7)
        for number, name in enumerate(graph.groups)
    }


def _draw_nodes(
    axes: Axes, placed: Sequence[Node], graph: ChannelGraph, colors: Mapping[str, Color]
) -> None:
    producers = {
        id(member.binding.layer)
        for group in graph.groups.values()
        for member in group.by_role(Role.PRODUCER)
    }
    barriers = {pin.name for pin in graph.barriers}
    for node in placed:
        x, y = node.place * STEP_X - WIDTH / 2, node.row * STEP_Y - HEIGHT / 2
        for start, width, color in _stripes(node, graph, colors):
            axes.broken_barh([(x + start * WIDTH, width * WIDTH)], (y, HEIGHT), facecolor=color)
        axes.broken_barh(
            [(x, WIDTH)],
            (y, HEIGHT),
            facecolor="none",
            edgecolor=RED if node.call.name in barriers else "black",
            linewidth=1.8 if id(node.call.operation) in producers else 0.6,
        )
        axes.text(x + WIDTH / 2, y + HEIGHT / 2, _short(node.path), **_TEXT, ha="center")


def _stripes(
    node: Node, graph: ChannelGraph, colors: Mapping[str, Color]
) -> Iterator[tuple[float, float, Color]]:
    """Start, width and colour of each part of a box, in fractions of its width."""
    _, units = graph.units_along(node.call.outputs[0])
    numbers, counts = np.unique(graph.locate(units)[0], return_counts=True)
    start, palette = 0.0, list(colors.values())
    for number, share in zip(numbers.tolist(), (counts / counts.sum()).tolist(), strict=True):
        yield start, share, palette[number] if number >= 0 else GREY
        start += share


def _draw_edges(axes: Axes, placed: Sequence[Node], ways: Sequence[Lane], widest: float) -> None:
    long = {(way.source, way.target): way.number for way in ways}
    for target, node in enumerate(placed):
        for source in node.sources:
            start, number = placed[source], long.get((source, target))
            top, bottom = start.row * STEP_Y, node.row * STEP_Y
            xs = [start.place * STEP_X, node.place * STEP_X]
            ys = [top + HEIGHT / 2, bottom - HEIGHT / 2]
            if number is not None:
                lane = widest + LANE * (1 + number)
                xs = [xs[0], xs[0] + WIDTH / 2, lane, lane, xs[1] + WIDTH / 2]
                ys = [top, top, top + LANE, bottom - LANE, bottom]
            axes.plot(xs, ys, color="0.45", linewidth=0.8, zorder=0)


def _draw_legend(axes: Axes, colors: Mapping[str, Color], left: float) -> None:
    rows = [*colors.items(), ("channels that stay", GREY)]
    for row, (name, color) in enumerate(rows):
        axes.broken_barh([(left, HEIGHT)], (row * STEP_Y - HEIGHT / 2, HEIGHT), facecolor=color)
        axes.text(left + 1.4 * HEIGHT, row * STEP_Y, _short(name), **_TEXT)
    note = "thick: makes channels\nred: a barrier"
    axes.text(left, (len(rows) + 0.3) * STEP_Y, note, **_TEXT)


_TEXT: dict[str, Any] = {"fontsize": 7, "va": "center", "parse_math": False}


def _short(name: str, most: int = 38) -> str:
    name = printable(name)
    return name if len(name) <= most else f"...{name[3 - most :]}"
