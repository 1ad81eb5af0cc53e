"""Writing packed files."""

from pathlib import Path

import keras

from keras_prune.exporting.formats.base import Format
from keras_prune.exporting.settings import Settings
from keras_prune.packing import pack


class PackedFile(Format):
    """A `.kpz` file: the model without its weights' zeros, compressed."""

    name = "packed"
    suffix = ".kpz"
    float32 = False
    describes = False

    def write(self, model: keras.Model, path: Path, settings: Settings) -> None:
        pack(model, path)
