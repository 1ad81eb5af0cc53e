"""A distribution over groups by stage, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from keras_prune.reporting.drawing import check_path, save

_WIDTH, _HEIGHT = 0.22, 4.5  # inches, for a group and for all
_ROOM = 2.5


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
    colors = colormaps["viridis"]
    for stage, now in enumerate(shares):
        color = colors(stage / max(len(shares) - 1, 1))
        values = [100 * now[name] for name in names]
        axes.plot(names, values, marker=".", color=color, label=f"stage {stage}")
    axes.set_ylabel("share of the channels that leave (%)")
    axes.tick_params(axis="x", labelrotation=90, labelsize="small")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    save(figure, path)
