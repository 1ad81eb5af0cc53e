"""Writing `.keras` files."""

from pathlib import Path

import keras

from keras_prune.exporting.formats.base import Format
from keras_prune.exporting.settings import Settings


class KerasFile(Format):
    """A plain `.keras` file."""

    name = "keras"
    suffix = ".keras"
    float32 = False
    describes = False

    def write(self, model: keras.Model, path: Path, settings: Settings) -> None:
        model.save(path)
