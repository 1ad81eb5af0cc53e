"""What all formats have in common."""

from abc import ABC, abstractmethod
from pathlib import Path

import keras

from keras_prune.errors import ExportError
from keras_prune.exporting.settings import DEFAULT_SIGNATURE, Settings


class Format(ABC):
    """A file format a model can be written in.

    Args:
        name: what messages and reports call it.
        suffix: of its files; empty for a directory.
        float32: the file computes in float32 even where the model has a lower compute precision.
        quantizes, signs, describes: it can be quantized or sparse, has a named signature, has a
            place for metadata.
    """

    name: str
    suffix: str
    float32 = True
    quantizes = False
    signs = False
    describes = True

    @abstractmethod
    def write(self, model: keras.Model, path: Path, settings: Settings) -> None:
        """Writes the model to a path that does not exist yet."""

    def check(self, settings: Settings) -> None:
        """Refuses settings that the format cannot hold.

        Raises:
            ExportError: there are some.
        """
        refused = {
            f"quantize={settings.quantize!r}": settings.quantize and not self.quantizes,
            "sparse=True": settings.sparse and not self.quantizes,
            f"signature={settings.signature!r}": settings.signature != DEFAULT_SIGNATURE
            and not self.signs,
            " and ".join(settings.metadata): settings.metadata and not self.describes,
        }
        for what, wrong in refused.items():
            if wrong:
                raise ExportError(f"A {self.name} export has no place for {what}. Leave it out.")
