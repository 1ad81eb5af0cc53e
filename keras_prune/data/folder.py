"""A user's own images: a directory with a folder for each class."""

from functools import cached_property
from pathlib import Path

import numpy as np

from keras_prune.data.images import FORMATS, read_images
from keras_prune.data.sources import Arrays, Shape, mixed, parts
from keras_prune.errors import DataError

Files = dict[str, list[Path]]
"""Class name -> its image files, both in alphabetical order."""

_HELD_OUT = {"val": "validation", "validation": "validation", "test": "test"}
_DIVISIBLE = 10  # so that each tenth of a class has an image


class Folder:
    """Images in the layout of `keras.utils.image_dataset_from_directory`.

    If there is a folder `train` beside `val`, `validation` or `test`, these are the splits; what is
    missing is cut from `train`. Else all images are split 80/10/10, every class in proportion, by a
    fixed draw from the alphabetical order of its files.

    Args:
        path: the directory; it exists.
        input_shape: `(height, width, channels)` that images are resized to as they are read.
    """

    def __init__(self, path: Path, input_shape: Shape) -> None:
        self._path = path
        self._input_shape = input_shape

    @property
    def num_classes(self) -> int:
        """Number of class folders."""
        return len(self.class_names)

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The names of the class folders that are trained on, alphabetically."""
        names = tuple(self._stored["train"])
        if len(names) < 2:
            raise DataError(
                f"Expected a folder for each of at least two classes in {self._path}. "
                f"Received: {', '.join(names) or 'no folder'}."
            )
        return names

    @property
    def sizes(self) -> dict[str, int]:
        """Image files in each split; none is opened."""
        return {split: len(files) for split, files in self._splits.items()}

    def read(self, split: str) -> Arrays:
        """Images `(examples, height, width, 3)` as uint8 and labels `(examples,)`."""
        files, labels = zip(*self._splits[split], strict=True)
        return read_images(list(files), self._input_shape), np.array(labels, "int32")

    @cached_property
    def _stored(self) -> dict[str, Files]:
        """Stored split -> its files; a directory without splits counts as one of training."""
        folders = {name: self._path / name for name in _HELD_OUT if (self._path / name).is_dir()}
        train = self._path / "train"
        if not folders or not train.is_dir():
            return {"train": _files(self._path)}
        held_out = {_HELD_OUT[name]: _files(folder) for name, folder in folders.items()}
        return {"train": _files(train)} | held_out

    @cached_property
    def _splits(self) -> dict[str, list[tuple[Path, int]]]:
        """Split -> its files and their labels, in a fixed order that mixes the classes."""
        found = {}
        for split, (stored, start, stop) in parts(self._stored).items():
            files = self._stored[stored]
            self._check(stored, files)
            examples = [
                (file, self.class_names.index(name))
                for name, paths in files.items()
                for file in (paths if (start, stop) == (0, 100) else _cut(paths, start, stop))
            ]
            found[split] = [examples[row] for row in mixed(len(examples))]
        return found

    def _check(self, stored: str, files: Files) -> None:
        if not files:
            raise DataError(f"The {stored} folder in {self._path} holds no class folders.")
        for name, paths in files.items():
            if name not in self.class_names:
                raise DataError(
                    f"{self._path} holds the class {name!r} for {stored}, but not for train. "
                    f"Expected: {', '.join(self.class_names)}."
                )
            if not paths:
                raise DataError(
                    f"The class folder {name!r} in {self._path} holds no image "
                    f"({', '.join(FORMATS)})."
                )


def _files(folder: Path) -> Files:
    classes = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    return {path.name: sorted(filter(_is_image, path.rglob("*"))) for path in classes}


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in FORMATS and not path.name.startswith(".") and path.is_file()


def _cut(paths: list[Path], start: int, stop: int) -> list[Path]:
    """The files between two percents of one class, after a fixed shuffle."""
    count = len(paths)
    if count < _DIVISIBLE:
        raise DataError(
            f"Expected at least {_DIVISIBLE} images in {paths[0].parent}, to split them. "
            f"Received: {count}. Add some, or make folders train, validation and test."
        )
    order = mixed(count)
    return [paths[row] for row in order[count * start // 100 : count * stop // 100]]
