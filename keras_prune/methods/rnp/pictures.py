"""Pictures of a run: how the agent learned, on which images it spent least and most, the curve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from keras_prune.reporting.curves import draw_lines
from keras_prune.reporting.drawing import save

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
    rows[-1].set_xlabel("batch of episodes, all rounds")
    save(figure, path)


def draw_examples(images: np.ndarray, share: np.ndarray, titles: list[str], path: Path) -> None:
    """The images that least and most was spent on.

    Args:
        images: pixel values 0-255, `(images, height, width, 1 or 3)`.
        share: what each cost, as a fraction of the whole network's cost.
        titles: for each image what it shows.
        path: the file.
    """
    from matplotlib.figure import Figure

    order = np.argsort(share, kind="stable")
    count = min(_EXAMPLES, len(order))
    figure = Figure(figsize=(1.2 * count, 4.0), layout="constrained")
    for row, (chosen, name) in enumerate(((order[:count], "least"), (order[::-1][:count], "most"))):
        for column, image in enumerate(chosen):
            axes = figure.add_subplot(2, count, row * count + column + 1)
            axes.imshow(np.squeeze(images[image] / 255), cmap="gray_r", vmin=0, vmax=1)
            axes.set_title(f"{titles[image]}\n{100 * share[image]:.0f} %", fontsize="x-small")
            axes.set_xticks([])
            axes.set_yticks([])
            if column == 0:
                axes.set_ylabel(name)
    save(figure, path)


def draw_curve(frame: pd.DataFrame, path: Path) -> None:
    """Accuracy over multiplications, a line for each `kind` of point."""
    lines = {
        str(kind): (points["multiplications"].tolist(), points["accuracy"].tolist())
        for kind, points in frame.sort_values("multiplications").groupby("kind", sort=False)
    }
    draw_lines(lines, "multiplications of an image on average (%)", "test accuracy (%)", path)
