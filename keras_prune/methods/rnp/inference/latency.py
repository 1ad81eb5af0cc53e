"""How long an image takes, dense and pruned at run time, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from keras_prune.benchmarking.interleaving import CALLS, interleaved, told
from keras_prune.runtimes import Runtime, open_runtime
from keras_prune.utils.progress import Watcher, silent


def compare_latency(
    files: Mapping[str | Path, str | Path],
    images: np.ndarray,
    *,
    batch_sizes: Iterable[int] = (1, 32),
    threads: int | None = None,
    turns: int = 40,
    watcher: Watcher = silent,
) -> pd.DataFrame:
    """Times dense files and their runtime-pruned counterparts in turns, on real images.

    How long a pruned network takes depends on the image. Every turn takes the next images, the same
    ones for both files, and counts by the median of its calls.

    Args:
        files: dense file -> pruned file, both of one kind.
        images: what is classified, float32 `(n, height, width, channels)`, again from the first
            where they do not suffice.
        batch_sizes: images in a call; those a file does not take are left out.
        threads: that compute; default what TensorFlow runs with, and one in LiteRT.
        turns: of 5 calls for each file and batch size, default 40.
        watcher: told of every turn.

    Returns:
        A row per pair and batch size: `form` (such as `"tflite"`), `batch_size`, `dense_ms` and
        `pruned_ms` (milliseconds per image, mean over the turns) and `speedup`.
    """
    runtimes = [
        tuple(open_runtime(path, threads, trusted=True) for path in pair) for pair in files.items()
    ]
    cases = [
        (pair, count)
        for pair, count in product(runtimes, batch_sizes)
        if all(runtime.inputs[0].shape[0] in (None, count) for runtime in pair)
    ]
    rows = []
    for (dense, pruned), count in cases:
        feed = _Feed(images, count)
        tell = told(watcher, f"{pruned.kind}, batch size {count}", turns)
        seconds = interleaved([feed.to(dense), feed.to(pruned)], turns, feed.following(tell))
        before, after = (_milliseconds(taken) / count for taken in seconds)
        rows.append((pruned.kind, count, before, after, before / after))
    return pd.DataFrame(rows, columns=["form", "batch_size", "dense_ms", "pruned_ms", "speedup"])


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
