"""One class per format a model can be written in."""

from pathlib import Path

from keras_prune.errors import ExportError, unknown
from keras_prune.exporting.formats.base import Format
from keras_prune.exporting.formats.keras_file import KerasFile
from keras_prune.exporting.formats.onnx_file import OnnxFile
from keras_prune.exporting.formats.packed_file import PackedFile
from keras_prune.exporting.formats.saved_model import SavedModel
from keras_prune.exporting.formats.tflite import TFLite

__all__ = ["Format", "format_of"]

_FORMATS: tuple[Format, ...] = (TFLite(), SavedModel(), OnnxFile(), KerasFile(), PackedFile())


def format_of(path: Path, name: str | None = None) -> Format:
    """The format of a name, or the one a path asks for by its suffix.

    Args:
        path: one without a suffix is a SavedModel directory.
        name: `"tflite"`, `"saved_model"`, `"onnx"`, `"keras"` or `"packed"`.

    Raises:
        ExportError: the name or the suffix is unknown, or the two contradict each other.
    """
    by_name = {kind.name: kind for kind in _FORMATS}
    by_suffix = {kind.suffix: kind for kind in _FORMATS}
    if name is not None and name not in by_name:
        raise ExportError(unknown("format", name, by_name))
    kind = by_name[name] if name else by_suffix.get(path.suffix)
    if kind is None:
        raise ExportError(
            f"Unknown format {path.suffix!r} of {path}. Use a path ending in .tflite, .onnx, "
            ".keras or .kpz, or one without a suffix for a SavedModel directory."
        )
    if path.suffix != kind.suffix:
        expected = f"end in {kind.suffix}" if kind.suffix else "have no suffix: it is a directory"
        raise ExportError(f"The path of a {kind.name} export must {expected}. Received: {path}.")
    return kind
