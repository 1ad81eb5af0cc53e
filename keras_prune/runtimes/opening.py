"""The runtime of a path."""

from collections.abc import Callable
from pathlib import Path

from keras_prune.errors import ModelError
from keras_prune.runtimes.base import Runtime, attributed
from keras_prune.runtimes.keras_file import KerasRuntime
from keras_prune.runtimes.onnx_file import OnnxRuntime
from keras_prune.runtimes.saved_code import check_computes_only
from keras_prune.runtimes.saved_model import SavedModelRuntime
from keras_prune.runtimes.tflite import TFLiteRuntime
from keras_prune.runtimes.trying import try_out
from keras_prune.utils.model_files import check_layers
from keras_prune.utils.quiet import quiet

_RUNTIMES: dict[str, Callable[[Path, int | None], Runtime]] = {
    ".keras": KerasRuntime,
    ".kpz": KerasRuntime,
    ".h5": KerasRuntime,
    ".onnx": OnnxRuntime,
    ".tflite": TFLiteRuntime,
}


def open_runtime(path: str | Path, threads: int | None = None, *, trusted: bool = False) -> Runtime:
    """Loads a model file into the library that runs it where it is deployed.

    A `.tflite` or `.onnx` file is run in a process of its own first, where it may crash. A
    SavedModel is looked through for operations that do more than compute.

    Args:
        path: a `.keras`, `.kpz`, `.tflite` or `.onnx` file, or a SavedModel directory.
        threads: how many threads compute; default: what the library takes by itself.
        trusted: leave both out, for a file that you have made yourself or know.

    Returns:
        The file, ready to be called.

    Raises:
        ModelError: there is no such file, or it is damaged or of another kind; it crashes what
            runs it, or is a SavedModel that does more than compute.
        ConfigError: the library is not installed, or the threads cannot be changed any more.
    """
    path = Path(path)
    opened = _opener(path)
    with attributed(path, "loaded"):
        if not trusted:
            _check(path)
        with quiet():
            return opened(path, threads)


def _check(path: Path) -> None:
    """Refuses what must not be run in this process."""
    if path.is_dir():
        check_computes_only(path)
    else:
        try_out(path)


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
