"""`keras-prune benchmark`: how fast model files run, side by side."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keras_prune.errors import ConfigError
from keras_prune.utils.progress import Watcher

from . import options as shared
from .command import command
from .costs import check_folder, write_csv
from .options import COUNT, FILE
from .output import say_json
from .progress import display
from .starting import quietly

if TYPE_CHECKING:
    from keras_prune.benchmarking import Benchmark, LayerBenchmark

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


@command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option(
    "--batch-size", "batch_sizes", type=COUNT, multiple=True, help="Repeatable. [default: 1]"
)
@click.option("--threads", type=COUNT, default=1, show_default=True, help="Threads that compute.")
@click.option("--turns", type=COUNT, default=20, show_default=True, help="5 timed calls each.")
@click.option("--per-layer", is_flag=True, help="Of two .keras files: which layers won time.")
@shared.allow_code
@shared.csv
@shared.as_json
def benchmark(
    files: tuple[Path, ...],
    batch_sizes: tuple[int, ...],
    threads: int,
    turns: int,
    per_layer: bool,
    allow_code: bool,
    csv: Path | None,
    as_json: bool,
) -> None:
    """Time model FILES (.keras, .kpz, .tflite, .onnx, SavedModel directories) side by side.

    They run in turns, so that whatever slows the machine down slows all. The first is what the
    others are compared with; "realised" is the part of the saved MACs that became time.
    """
    check_folder(csv)
    with quietly(start=False):  # threads are set before TensorFlow starts
        from keras_prune.benchmarking import benchmark as timed
    found: Benchmark | LayerBenchmark
    with display() as watcher:
        if per_layer:
            found = _layers(files, threads, turns, watcher)
        else:
            sizes = batch_sizes or (1,)
            found = timed(
                files,
                batch_sizes=sizes,
                threads=threads,
                turns=turns,
                trusted=allow_code,
                watcher=watcher,
            )
    if csv:
        write_csv(csv, found.to_frame())
    if as_json:
        say_json(asdict(found))
    else:
        _show(found)


def _layers(
    files: tuple[Path, ...], threads: int, turns: int, watcher: Watcher
) -> "LayerBenchmark":
    if len(files) != 2:
        raise ConfigError(
            f"--per-layer compares two .keras files: a model and the same one pruned. Received: "
            f"{len(files)}."
        )
    with quietly(start=False):
        from keras_prune.benchmarking import benchmark_layers
        from keras_prune.runtimes.loading import load_model
    before, after = map(load_model, files)
    return benchmark_layers(before, after, threads=threads, turns=turns, watcher=watcher)


def _show(found: Any) -> None:
    from .tables import console, table

    terminal = console()
    frame = found.to_frame()
    shown = frame.astype(object).where(frame.notna(), "").rename(columns=HEADINGS)
    terminal.print(table(shown, _title(found.threads)))
    if advice := getattr(found, "advice", ""):
        terminal.print(advice)


def _title(threads: int) -> str:
    return f"{threads} thread{'s' if threads > 1 else ''}"
