"""Export, then verify: a file that does not compute what the model does is never left behind."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from keras_prune.errors import ExportError
from keras_prune.exporting.formats import Arrays, Format, format_of, outputs
from keras_prune.exporting.precision import in_float32
from keras_prune.quiet import quiet

TOLERANCE = 1e-3
"""Largest admitted difference, relative to the largest absolute output of the model."""

EXAMPLES = 4


@dataclass(frozen=True)
class Exported:
    """What was written and how well it agrees with the model.

    Args:
        path: the file or directory.
        format: `"tflite"`, `"saved_model"` or `"keras"`.
        bytes: size of the file, or of all files of the directory.
        max_abs_error: largest absolute difference from the model's output on the batch.
    """

    path: str
    format: str
    bytes: int
    max_abs_error: float


def export(
    model: keras.Model, path: str | Path, *, batch: np.ndarray | Arrays | None = None
) -> Exported:
    """Writes a model in the format its path names, runs the file and compares it with the model.

    `*.tflite` gives a TFLite file, `*.keras` a Keras file, a path without a suffix a SavedModel
    directory. TFLite and SavedModel compute in float32, whatever the model's compute precision.

    Args:
        model: a built model.
        path: where to write; an existing file is replaced, a directory in use is not.
        batch: `(n, *input_shape)`, or a list of such arrays for a model with several inputs.
            Default: 4 seeded examples of pixel-like values in [0, 255).

    Returns:
        The path, the format, the size and the largest absolute error.

    Raises:
        ExportError: the suffix is unknown, the place cannot be written, the format cannot express
            the model, or what was written differs from the model by more than 0.1 % of the
            largest output. Nothing is left at `path` then.

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> export(model, os.path.join(tempfile.mkdtemp(), "model.keras")).max_abs_error
    0.0
    """
    path = Path(path)
    kind = format_of(path)
    if path.is_dir() and any(path.iterdir()):
        raise ExportError(f"The directory {path} is not empty. Give a path that does not exist.")
    arrays = _example(model) if batch is None else _as_list(batch)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
            draft = Path(folder) / path.name
            worst = _write_and_check(kind, model, draft, arrays)
            os.replace(draft, path)
    except OSError as error:
        raise ExportError(f"Cannot write {path}: {error.strerror or error}.") from error
    return Exported(str(path), kind.name, _size(path), worst)


def _write_and_check(kind: Format, model: keras.Model, draft: Path, batch: Arrays) -> float:
    """Writes the draft and returns its largest absolute error."""
    try:
        with quiet():
            twin = in_float32(model) if kind.float32 else model
            kind.write(twin, draft)
            actual = kind.run(draft, twin, batch)
            expected = outputs(twin, batch)
    except OSError:
        raise
    except Exception as error:  # the converters raise whatever their many layers raise
        reason = str(error).strip().split("\n")[0][:200]
        raise ExportError(
            f"The model cannot be written as {kind.name}: {reason or type(error).__name__}"
        ) from error
    return _check(kind, actual, expected)


def _check(kind: Format, actual: Arrays, expected: Arrays) -> float:
    if [a.shape for a in actual] != [e.shape for e in expected]:
        raise ExportError(
            f"The {kind.name} export has other output shapes than the model. Expected "
            f"{[e.shape for e in expected]}. Received: {[a.shape for a in actual]}."
        )
    worst = max(float(np.max(np.abs(a - e))) for a, e in zip(actual, expected, strict=True))
    allowed = TOLERANCE * max(float(np.max(np.abs(e))) for e in expected)
    if not worst <= allowed:  # also true for NaN
        raise ExportError(
            f"The {kind.name} export differs from the model by {worst:.3g}; expected at most "
            f"{allowed:.3g}. The file was removed."
        )
    return worst


def _example(model: keras.Model) -> Arrays:
    rng = np.random.default_rng(0)
    arrays = []
    for tensor in model.inputs:
        shape = tensor.shape[1:]
        if None in shape:
            raise ExportError(
                f"Input {tensor.name!r} has the open shape {shape}: give `batch`, an example of it."
            )
        high = 255 if "float" in tensor.dtype else 2
        arrays.append(rng.uniform(0, high, (EXAMPLES, *shape)).astype(tensor.dtype))
    return arrays


def _as_list(batch: np.ndarray | Arrays) -> Arrays:
    return [np.asarray(array) for array in (batch if isinstance(batch, list) else [batch])]


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
