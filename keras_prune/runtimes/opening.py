"""The runtime of a path."""

from collections.abc import Callable
from pathlib import Path

from keras_prune.errors import ModelError
from keras_prune.runtimes.base import Runtime, attributed
from keras_prune.runtimes.keras_file import KerasRuntime
from keras_prune.runtimes.onnx_file import OnnxRuntime
from keras_prune.runtimes.saved_model import SavedModelRuntime
from keras_prune.runtimes.tflite import TFLiteRuntime
from keras_prune.utils.model_files import check_layers
from keras_prune.utils.quiet import quiet

_RUNTIMES: dict[str, Callable[[Path, int | None], Runtime]] = {
    ".keras": KerasRuntime,
    ".kpz": KerasRuntime,
    ".h5": KerasRuntime,
    ".onnx": OnnxRuntime,
    ".tflite": TFLiteRuntime,
}


def open_runtime(path: str | Path, threads: int | None = None) -> Runtime:
    """Loads a model file into the library that runs it where it is deployed.

    Args:
        path: a `.keras`, `.kpz`, `.tflite` or `.onnx` file, or a SavedModel directory.
        threads: how many threads compute; default: what the library takes by itself.

    Returns:
        The file, ready to be called.

    Raises:
        ModelError: there is no such file, or it is damaged or of another kind.
        ConfigError: the library is not installed, or the threads cannot be changed any more.
    """
    path = Path(path)
    opened = _opener(path)
    with attributed(path, "loaded"), quiet():
        return opened(path, threads)


def _opener(path: Path) -> Callable[[Path, int | None], Runtime]:
    if (path / "saved_model.pb").is_file():
        return SavedModelRuntime
    if not path.is_file():
        check_layers(path)  # which says what is there in its place
    if path.suffix not in _RUNTIMES:
        raise ModelError(
            f"Expected a {', '.join(_RUNTIMES)} file or a SavedModel directory. Received: {path}."
        )
    return _RUNTIMES[path.suffix]
