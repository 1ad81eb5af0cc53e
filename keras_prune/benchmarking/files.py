"""Latency, throughput and size of model files, side by side."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from keras_prune.benchmarking.calls import call, check_count
from keras_prune.benchmarking.interleaving import interleaved, told
from keras_prune.runtimes import Runtime, gzip_size, open_runtime, size
from keras_prune.utils.progress import Watcher, silent


@dataclass(frozen=True)
class Timing:
    """One file at one batch size.

    Args:
        path: the file.
        kind: `"keras"`, `"saved_model"`, `"tflite"` or `"onnx"`.
        batch_size: examples in a call.
        median_ms, p10_ms, p90_ms: milliseconds of a call: median, 10th and 90th percentile.
        throughput: examples in a second, by the median.
        speedup: median of the first file ÷ this median.
        macs: multiply-accumulates of one example; None where the file does not tell.
        mac_ratio: MACs of the first file ÷ these.
        realised: `speedup / mac_ratio`, the part of the saved work that became time; None where the
            work is that of the first file.
        bytes: size of the file.
        gzip_bytes: compressed.
    """

    path: str
    kind: str
    batch_size: int
    median_ms: float
    p10_ms: float
    p90_ms: float
    throughput: float
    speedup: float
    macs: int | None
    mac_ratio: float | None
    realised: float | None
    bytes: int
    gzip_bytes: int


@dataclass(frozen=True)
class Benchmark:
    """What was measured.

    Args:
        threads: that computed.
        rows: one per file and batch size, in the order given.
    """

    threads: int
    rows: tuple[Timing, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per file and batch size; the columns are the fields of `Timing`."""
        frame = pd.DataFrame([asdict(row) for row in self.rows])
        return frame.astype({"macs": "Int64", "mac_ratio": float, "realised": float})


def benchmark(
    paths: Sequence[str | Path],
    *,
    batch_sizes: Sequence[int] = (1,),
    threads: int = 1,
    turns: int = 20,
    trusted: bool = False,
    watcher: Watcher = silent,
) -> Benchmark:
    """Times model files in turns on random inputs, each in its own runtime.

    A turn is 5 timed calls after an untimed one, with arrays in and arrays out. A `.keras` file
    runs as one compiled TensorFlow function, without XLA.

    Args:
        paths: `.keras`, `.kpz`, `.tflite` and `.onnx` files and SavedModel directories; the first
            is what the others are compared with.
        batch_sizes: examples in a call.
        threads: that compute. TensorFlow takes no other number once it has run in a process.
        turns: how often each file has its turn.
        trusted: neither try the files in a process of their own first, nor look SavedModels
            through for operations that do more than compute.
        watcher: told of every turn.

    Returns:
        A row per file and batch size.

    Raises:
        ModelError: a file cannot be loaded.
        ConfigError: a file does not take the batch size or leaves another length open, or the
            threads cannot be changed any more.

    Warns:
        UserWarning: a file takes other inputs than the first one.
    """
    files = [Path(path) for path in paths]
    runtimes = [open_runtime(path, threads, trusted=trusted) for path in files]
    _warn_of_strangers(files, runtimes)
    for path, runtime in zip(files, runtimes, strict=True):
        for count in batch_sizes:
            check_count(path, runtime, count)
    rows: list[Timing] = []
    for count in batch_sizes:
        calls = [call(path, runtime, count) for path, runtime in zip(files, runtimes, strict=True)]
        seconds = interleaved(calls, turns, told(watcher, f"batch size {count}", turns))
        rows += _rows(files, runtimes, count, seconds)
    return Benchmark(threads, tuple(rows))


def _warn_of_strangers(files: Sequence[Path], runtimes: Sequence[Runtime]) -> None:
    first, *others = [sorted(str(port.shape[1:]) for port in each.inputs) for each in runtimes]
    for path, shapes in zip(files[1:], others, strict=True):
        if shapes != first:
            warnings.warn(
                f"{path} takes inputs of shape {', '.join(shapes)}, {files[0]} of "
                f"{', '.join(first)}: speed and work are compared of two different networks.",
                stacklevel=3,
            )


def _rows(
    files: Sequence[Path], runtimes: Sequence[Runtime], count: int, seconds: Sequence[np.ndarray]
) -> list[Timing]:
    macs = [_macs(runtime) for runtime in runtimes]
    rows = []
    for path, runtime, own, taken in zip(files, runtimes, macs, seconds, strict=True):
        p10, median, p90 = np.percentile(taken, (10, 50, 90))
        speedup = float(np.median(seconds[0]) / median)
        ratio = macs[0] / own if macs[0] and own else None
        rows.append(
            Timing(
                path=str(path),
                kind=runtime.kind,
                batch_size=count,
                median_ms=1e3 * float(median),
                p10_ms=1e3 * float(p10),
                p90_ms=1e3 * float(p90),
                throughput=count / float(median),
                speedup=speedup,
                macs=own,
                mac_ratio=ratio,
                realised=speedup / ratio if ratio and ratio != 1 else None,
                bytes=size(path),
                gzip_bytes=gzip_size(path),
            )
        )
    return rows


def _macs(runtime: Runtime) -> int | None:
    told = runtime.metadata.get("macs", "")
    return int(told) if re.fullmatch(r"[0-9]{1,18}", told) else None
