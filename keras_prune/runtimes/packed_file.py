"""A `.kpz` file, run by Keras."""

from pathlib import Path

import keras

from keras_prune.packing import unpack
from keras_prune.runtimes.keras_file import KerasRuntime


class PackedRuntime(KerasRuntime):
    """Runs the model that was packed, as `KerasRuntime` does."""

    kind = "packed"

    def _load(self, path: Path) -> keras.Model:
        return unpack(path)
