"""Image files for tests: every picture has one grey value, by which it is known again."""

from pathlib import Path

import keras
import numpy as np


def picture(path: Path, grey: int = 0, size: tuple[int, int] = (6, 5)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    keras.utils.save_img(path, np.full((*size, 3), grey), scale=False)
    return path


def classes(folder: Path, counts: dict[str, int], first: int = 0) -> Path:
    """A folder for each class; the grey values count on from `first` through all of them."""
    for name, count in counts.items():
        for index in range(count):
            picture(folder / name / f"{index:03}.png", first + index)
        first += count
    return folder
