"""A sparse model in every form that may be smaller, side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from keras_prune.benchmarking.files import benchmark
from keras_prune.errors import ExportError
from keras_prune.exporting.attempts import Failed, attempt
from keras_prune.exporting.checking import Agreement, agreement
from keras_prune.exporting.examples import given, made_up
from keras_prune.exporting.model_export import Exported, export
from keras_prune.graph import ChannelGraph
from keras_prune.packing import pack
from keras_prune.runtimes import gzip_size, open_runtime, size
from keras_prune.surgery import prune_graph
from keras_prune.surgery.dead_channels import without_dead

DENSE = "dense.tflite"
"""What the other forms are compared with."""

Outcome = Exported | Agreement

STORED = "Storage only: once unpacked it runs as the dense model does."
_NOTES = {
    "dense.keras": "Zeros take the space and the time of any number.",
    DENSE: "Zeros take the space and the time of any number.",
    "compact.tflite": "Faster by the channels that left; the zeros that stayed take their time.",
    "sparse.tflite": "Faster only where the runtime has kernels for it; most unpack it.",
    "dynamic.tflite": "Faster by int8 weights, not by zeros.",
    "int8.tflite": "Faster by integers, not by zeros.",
    "packed.kpz": STORED,
    "shared.kpz": STORED,
}


@dataclass(frozen=True)
class SparseForm:
    """One file.

    Args:
        file: its name.
        bytes: its size; None if it cannot be made.
        gzip_bytes: compressed.
        times_smaller: size of `dense.tflite` ÷ its size.
        top1_agreement: examples in which it chooses the model's class, in percent.
        accuracy: right answers in percent; None without the true classes.
        latency_us: median microseconds of a call with one example, one thread; TFLite only.
        note: where it is faster and where not, or why there is none.
    """

    file: str
    bytes: int | None
    gzip_bytes: int | None
    times_smaller: float | None
    top1_agreement: float | None
    accuracy: float | None
    latency_us: float | None
    note: str


def export_sparse(
    model: keras.Model,
    folder: str | Path,
    *,
    representative: np.ndarray | Sequence[np.ndarray] | None = None,
    batch: np.ndarray | Sequence[np.ndarray] | None = None,
    truth: np.ndarray | None = None,
    values: int = 32,
    turns: int = 20,
) -> tuple[SparseForm, ...]:
    """Writes a model that is full of zeros in every form, and measures each.

    `dense.keras`, `dense.tflite`; `compact.tflite`: without the channels that do nothing any more;
    `sparse.tflite`: sparse tensors; `dynamic.tflite`: int8 weights; `int8.tflite`: int8 weights and
    activations; `packed.kpz`: by `pack`; `shared.kpz`: by `pack` with few values.

    Args:
        model: a built model; it is not changed.
        folder: where the files are written; it is made, and must be empty.
        representative: typical examples for `int8.tflite`, a list of arrays for several inputs;
            default: there is none.
        batch: examples that the forms are compared on, likewise; default: seeded ones.
        truth: their true classes.
        values: of `shared.kpz`, 2 to 256; default 32.
        turns: how often each TFLite file is timed, in turns of 5 calls.

    Returns:
        A form per file, those that could not be made included.

    Raises:
        ExportError: the folder is not empty or cannot be written.
    """
    folder = _made(Path(folder))
    examples = made_up(model) if batch is None else given("batch", batch, model)
    graph = ChannelGraph(model)
    compact = prune_graph(graph, without_dead(graph))
    options: dict[str, Any] = {"batch": examples, "truth": truth}
    writers: dict[str, Callable[[Path], Outcome]] = {
        "dense.keras": lambda path: export(model, path, **options),
        DENSE: lambda path: export(model, path, **options),
        "compact.tflite": lambda path: export(compact, path, **options),
        "sparse.tflite": lambda path: export(model, path, sparse=True, **options),
        "dynamic.tflite": lambda path: export(model, path, quantize="dynamic", **options),
        "packed.kpz": lambda path: export(model, path, **options),
        "shared.kpz": lambda path: _shared(model, path, values, examples, truth),
    }
    if representative is not None:
        writers["int8.tflite"] = lambda path: export(
            model, path, quantize="int8", representative=representative, **options
        )
    found = {name: _attempt(write, folder / name) for name, write in writers.items()}
    return _forms(folder, found, turns)


def forms_frame(forms: Sequence[SparseForm]) -> pd.DataFrame:
    """One row per file; the columns are the fields of `SparseForm`."""
    frame = pd.DataFrame([vars(form) for form in forms])
    return frame.astype({"bytes": "Int64", "gzip_bytes": "Int64"})


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"Cannot write {folder}: {error.strerror or error}.") from error
    if any(folder.iterdir()):
        raise ExportError(f"The directory {folder} is not empty. Give another.")
    return folder


def _shared(
    model: keras.Model, path: Path, values: int, batch: Sequence[np.ndarray], truth: Any
) -> Agreement:
    pack(model, path, values=values)
    return agreement(open_runtime(path, trusted=True), model, list(batch), truth)


def _attempt(write: Callable[[Path], Outcome], path: Path) -> Outcome | str:
    """What the writer found, or why it failed; then no file is left."""
    found = attempt(lambda: write(path))
    if isinstance(found, Failed):
        path.unlink(missing_ok=True)
        return found.reason
    return found


def _forms(folder: Path, found: Mapping[str, Outcome | str], turns: int) -> tuple[SparseForm, ...]:
    runnable = [name for name in found if name.endswith(".tflite") and (folder / name).exists()]
    timed = (
        benchmark([folder / name for name in runnable], turns=turns, trusted=True).rows
        if turns
        else ()
    )
    times = {Path(row.path).name: 1000 * row.median_ms for row in timed}
    dense = size(folder / DENSE) if (folder / DENSE).exists() else None
    return tuple(
        _failed(name, outcome)
        if isinstance(outcome, str)
        else _form(folder / name, outcome, dense, times.get(name))
        for name, outcome in found.items()
    )


def _form(path: Path, found: Outcome, dense: int | None, latency: float | None) -> SparseForm:
    written = size(path)
    return SparseForm(
        file=path.name,
        bytes=written,
        gzip_bytes=gzip_size(path),
        times_smaller=dense / written if dense else None,
        top1_agreement=found.top1_agreement if isinstance(found, Exported) else found.top1,
        accuracy=found.accuracy,
        latency_us=latency,
        note=_NOTES[path.name],
    )


def _failed(name: str, reason: str) -> SparseForm:
    return SparseForm(name, None, None, None, None, None, None, reason)
