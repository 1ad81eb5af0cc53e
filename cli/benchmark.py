"""`keras-prune benchmark`: how fast model files run, side by side."""

import json
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keras_prune.errors import ConfigError
from keras_prune.quiet import quiet_descriptors
from keras_prune.writing import write_text

from .progress import display

if TYPE_CHECKING:
    import pandas as pd

    from keras_prune.benchmarking import LayerBenchmark

FILE = click.Path(path_type=Path)
COUNT = click.IntRange(min=1)
HEADINGS = {
    "path": "file",
    "batch_size": "batch",
    "p10_ms": "p10",
    "p90_ms": "p90",
    "throughput": "per second",
    "macs": "MACs",
    "mac_ratio": "MAC ratio",
    "gzip_bytes": "gzip",
}
WIDTH = 180
"""Characters of a line where there is no terminal."""


@click.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option(
    "--batch-size", "batch_sizes", type=COUNT, multiple=True, help="Repeatable. [default: 1]"
)
@click.option("--threads", type=COUNT, default=1, show_default=True, help="Threads that compute.")
@click.option("--turns", type=COUNT, default=20, show_default=True, help="5 timed calls each.")
@click.option("--per-layer", is_flag=True, help="Of two .keras files: which layers won time.")
@click.option("--csv", "csv", type=FILE, help="Write the table to a file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def benchmark(
    files: tuple[Path, ...],
    batch_sizes: tuple[int, ...],
    threads: int,
    turns: int,
    per_layer: bool,
    csv: Path | None,
    as_json: bool,
) -> None:
    """Time model FILES (.keras, .tflite, .onnx, SavedModel directories) side by side.

    They run in turns, so that whatever slows the machine down slows all. The first is what the
    others are compared with; "realised" is the part of the saved MACs that became time.
    """
    if csv and not csv.parent.is_dir():  # said before the long work, not after it
        raise ConfigError(f"Cannot write {csv}: {csv.parent} is no directory.")
    with quiet_descriptors():
        room = import_module("keras_prune.benchmarking")
    with display() as watcher:
        options = {"threads": threads, "turns": turns, "watcher": watcher}
        found = (
            _layers(files, room, options)
            if per_layer
            else room.benchmark(files, batch_sizes=batch_sizes or (1,), **options)
        )
    if csv:
        _write(csv, found.to_frame())
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
    else:
        _show(found)


def _layers(files: tuple[Path, ...], room: Any, options: dict[str, Any]) -> "LayerBenchmark":
    if len(files) != 2:
        raise ConfigError(
            f"--per-layer compares two .keras files: a model and the same one pruned. Received: "
            f"{len(files)}."
        )
    with quiet_descriptors():
        models = [import_module("keras_prune.loading").load_model(path) for path in files]
    found: LayerBenchmark = room.benchmark_layers(*models, **options)
    return found


def _write(path: Path, frame: "pd.DataFrame") -> None:
    try:
        write_text(path, frame.to_csv(index=False))
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror or error}.") from error


def _show(found: Any) -> None:
    from rich.console import Console

    from .tables import table

    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    frame = found.to_frame()
    shown = frame.astype(object).where(frame.notna(), "").rename(columns=HEADINGS)
    console.print(table(shown, _title(found.threads)))
    if advice := getattr(found, "advice", ""):
        console.print(advice, highlight=False)


def _title(threads: int) -> str:
    return f"{threads} thread{'s' if threads > 1 else ''}"
