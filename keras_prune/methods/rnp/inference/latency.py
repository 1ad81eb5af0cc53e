"""How long an image takes, dense and pruned at run time, side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from keras_prune.benchmarking.interleaving import CALLS, interleaved
from keras_prune.exporting import export
from keras_prune.progress import Progress, Watcher, silent
from keras_prune.runtimes import Runtime, open_runtime


def latencies(
    dense: keras.Model,
    paths: Sequence[str | Path],
    images: np.ndarray,
    *,
    batch_sizes: Iterable[int] = (1, 32),
    threads: int | None = None,
    turns: int = 40,
    watcher: Watcher = silent,
) -> pd.DataFrame:
    """Times a dense model and its runtime-pruned files in turns, on real images.

    The dense model is written in the form of each file first. How long a pruned network takes
    depends on the image: every turn takes the next images, the same ones for both, and counts by
    the median of its calls.

    Args:
        dense: the model before pruning.
        paths: SavedModel directories and TFLite files of the runtime-pruned one.
        images: what is classified, float32 `(n, height, width, channels)`, again from the first
            where they do not suffice.
        batch_sizes: images in a call; those a file does not take are left out.
        threads: that compute; default what TensorFlow runs with, and one in LiteRT.
        turns: of 5 calls for each file and batch size, default 40.
        watcher: told of every turn.

    Returns:
        A row per file and batch size: `form` (such as `"tflite"`), `batch_size`, `dense_ms` and
        `pruned_ms` (milliseconds per image, mean over the turns) and `speedup`.

    Raises:
        ExportError: the dense model cannot be written in the form of a file.
        ModelError: a file cannot be loaded.
    """
    rows = []
    for path, count in product(map(Path, paths), batch_sizes):
        pruned = open_runtime(path, threads)
        if pruned.inputs[0].shape[0] not in (None, count):
            continue
        feed = _Feed(images, count)
        tell = _told(watcher, f"{pruned.kind}, batch size {count}", turns)
        calls = [feed.to(_counterpart(dense, path, count, threads)), feed.to(pruned)]
        seconds = interleaved(calls, turns, feed.following(tell))
        before, after = (_milliseconds(taken) / count for taken in seconds)
        rows.append((pruned.kind, count, before, after, before / after))
    return pd.DataFrame(rows, columns=["form", "batch_size", "dense_ms", "pruned_ms", "speedup"])


def _counterpart(dense: keras.Model, path: Path, count: int, threads: int | None) -> Runtime:
    """The dense model in the form of a file, for as many images."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"dense{path.suffix}"
        export(dense, copy, batch_size=count)
        return open_runtime(copy, threads)


class _Feed:
    """Batches of the images, the next one every turn."""

    def __init__(self, images: np.ndarray, count: int) -> None:
        self._images, self._count = np.asarray(images, "float32"), count
        self._take(0)

    def to(self, runtime: Runtime) -> Callable[[], object]:
        """A call that runs a file on the batch of the turn."""
        return lambda: runtime([self._batch])

    def following(self, tell: Callable[[int], None]) -> Callable[[int], None]:
        """What ends a turn: the next batch is taken, and the turn is told of."""

        def on_turn(done: int) -> None:
            self._take(done)
            tell(done)

        return on_turn

    def _take(self, turn: int) -> None:
        rows = np.arange(turn * self._count, (turn + 1) * self._count)
        self._batch = np.take(self._images, rows, axis=0, mode="wrap")


def _milliseconds(seconds: np.ndarray) -> float:
    """The median of each turn, on average."""
    return 1e3 * float(np.median(seconds.reshape(-1, CALLS), axis=1).mean())


def _told(watcher: Watcher, stage: str, turns: int) -> Callable[[int], None]:
    return lambda done: watcher(Progress(stage, done, turns))
