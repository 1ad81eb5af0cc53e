"""What lies at the path of a model, told without loading anything."""

from __future__ import annotations

import difflib
import zipfile
from pathlib import Path

from keras_prune.errors import ModelError

KERAS = (".keras", ".kpz")
HDF5 = (".h5", ".hdf5")
_HDF5_BEGINS = b"\x89HDF\r\n\x1a\n"
WEIGHTS_ALONE = (
    "holds weights alone. Build the network they are of, load them with model.load_weights, and "
    "save it: model.save('model.keras')."
)
"""What to say of a file without a network."""

_DEPLOYED = {".tflite": "a TFLite file", ".onnx": "an ONNX file"}


def is_path(model: str) -> bool:
    """Whether a text means a file and not a network of the zoo.

    It is told from the text alone: a folder may well be called as a network is.
    """
    path = Path(model)
    return bool(path.suffix) or len(path.parts) > 1


def check_layers(path: Path) -> None:
    """Refuses what holds no layers that could be looked at or pruned.

    Args:
        path: what is to be a `.keras`, `.kpz` or `.h5` file.

    Raises:
        ModelError: it is something else, or nothing; the message says what, and the way on.
    """
    if path.is_dir():
        raise ModelError(_of_directory(path))
    if not path.is_file():
        raise ModelError(_of_nothing(path))
    if path.suffix in _DEPLOYED:
        raise ModelError(
            f"{path} is {_DEPLOYED[path.suffix]}: its layers are gone. Give the .keras file that "
            "it was exported from."
        )
    if path.name.endswith(".weights.h5"):
        raise ModelError(f"{path} {WEIGHTS_ALONE}")
    if not (path.suffix == ".kpz" or is_hdf5(path) or zipfile.is_zipfile(path)):
        raise ModelError(
            f"{path} is not a Keras file, or is damaged. Give a model saved as .keras."
        )


def is_hdf5(path: Path) -> bool:
    """Whether a file is of the format that Keras wrote before `.keras`."""
    with path.open("rb") as file:
        return file.read(len(_HDF5_BEGINS)) == _HDF5_BEGINS


def _of_directory(path: Path) -> str:
    if (path / "saved_model.pb").is_file():
        return (
            f"{path} is a SavedModel, which runs but has no layers to look at or prune. Give the "
            "model that it was exported from, saved as .keras."
        )
    inside = sorted(p.name for p in path.iterdir() if p.suffix in (*KERAS, *HDF5))
    kind = "a run directory" if (path / "report.json").is_file() else "a folder"
    if not inside:
        return f"{path} is {kind} without a .keras file. Give a model saved as .keras."
    return f"{path} is {kind}. Give one of its models: {', '.join(str(path / i) for i in inside)}."


def _of_nothing(path: Path) -> str:
    names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, [n for n in names if Path(n).suffix], n=1)
    hint = f" Did you mean {path.parent / near[0]}?" if near else ""
    return f"Model file {path} does not exist.{hint} Give a .keras file."
