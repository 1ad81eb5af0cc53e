"""Plots of a run: how the agent learned, on which images it spent least and most, the curve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from keras_prune.reporting.graph_plot import as_label, save
from keras_prune.reporting.plots import draw_lines

_EXAMPLES = 10


def draw_learning(history: pd.DataFrame, path: Path) -> None:
    """Reward, loss of Q-learning and share of the multiplications, by batch of episodes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 7.0), layout="constrained")
    rows = figure.subplots(3, sharex=True)
    for axes, name in zip(rows, ("reward", "q_loss", "multiplications"), strict=True):
        axes.plot(history.index + 1, history[name], linewidth=1)
        axes.set_ylabel(name.replace("q_loss", "loss of Q-learning"))
        axes.grid(alpha=0.3)
    rows[-1].set_xlabel("batch of episodes, all steps")
    save(figure, path)


def draw_examples(images: np.ndarray, share: np.ndarray, titles: list[str], path: Path) -> None:
    """The images that least and most was spent on.

    Args:
        images: `(images, height, width, channels)`, in any range.
        share: what each cost, as a fraction of the whole network's cost.
        titles: for each image what it shows.
        path: the file.
    """
    from matplotlib.figure import Figure

    order, shown = np.argsort(share, kind="stable"), _shown(images)
    count = min(_EXAMPLES, len(order))
    figure = Figure(figsize=(1.2 * count, 4.0), layout="constrained")
    for row, (chosen, name) in enumerate(((order[:count], "least"), (order[::-1][:count], "most"))):
        for column, image in enumerate(chosen):
            axes = figure.add_subplot(2, count, row * count + column + 1)
            axes.imshow(shown[image], cmap="gray_r", vmin=0, vmax=1)
            axes.set_title(
                f"{as_label(titles[image])}\n{100 * share[image]:.0f} %", fontsize="x-small"
            )
            axes.set_xticks([])
            axes.set_yticks([])
            if column == 0:
                axes.set_ylabel(name)
    save(figure, path)


def draw_curve(frame: pd.DataFrame, split: str, path: Path) -> None:
    """Accuracy on a split over multiplications, a line for each `kind` of point."""
    lines = {
        str(kind): (points["multiplications"].tolist(), points["accuracy"].tolist())
        for kind, points in frame.sort_values("multiplications").groupby("kind", sort=False)
    }
    draw_lines(lines, "multiplications of an image on average (%)", f"{split} accuracy (%)", path)


def _shown(images: np.ndarray) -> np.ndarray:
    """Images as matplotlib takes them: values from 0 to 1, three channels or none."""
    low, high = images.min(), images.max()
    scaled = (images - low) / max(high - low, 1e-9)
    return scaled if images.shape[-1] == 3 else scaled.mean(axis=-1)
