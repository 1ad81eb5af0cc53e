"""Where the saved work became time and where it did not: two models, layer by layer."""

import math
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from keras_prune.benchmarking.interleaving import interleaved
from keras_prune.errors import ConfigError
from keras_prune.exporting import export
from keras_prune.graph import Call, Unsupported, trace
from keras_prune.graph.nested import opened
from keras_prune.graph.work import macs
from keras_prune.runtimes import Arrays, open_runtime
from keras_prune.utils.progress import Progress, Watcher, silent

MULTIPLE = 8
"""Channels that vector units compute together, at least."""

WASTED = 0.8
"""A layer with a smaller part of its saved work realised is one that pruning did not pay for."""


@dataclass(frozen=True)
class LayerTiming:
    """One layer of two models.

    Args:
        name: the layer's name in both.
        channels, channels_after: its output channels in the first and the second model.
        ms, ms_after: median milliseconds of a call on one example.
        mac_ratio: MACs of the first ÷ MACs of the second.
        speedup: `ms / ms_after`.
        realised: `speedup / mac_ratio`.
    """

    name: str
    channels: int
    channels_after: int
    ms: float
    ms_after: float
    mac_ratio: float
    speedup: float
    realised: float

    @property
    def odd(self) -> bool:
        """Whether pruning left it a number of channels that wastes time."""
        cut = self.channels_after != self.channels
        return cut and self.realised < WASTED and self.channels_after % MULTIPLE != 0


@dataclass(frozen=True)
class LayerBenchmark:
    """What was measured.

    Args:
        threads: that computed.
        rows: one per layer that both models have and whose MACs changed.
    """

    threads: int
    rows: tuple[LayerTiming, ...]

    @property
    def advice(self) -> str:
        """What to try, in one sentence; empty where nothing suggests itself."""
        odd = [row.name for row in self.rows if row.odd]
        if not odd:
            return ""
        return (
            f"{len(odd)} of {len(self.rows)} layers won less time than work and have channel "
            f"counts that are no multiple of {MULTIPLE}: try --round-to {MULTIPLE}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per layer; the columns are the fields of `LayerTiming`."""
        return pd.DataFrame([asdict(row) for row in self.rows])


def benchmark_layers(
    first: keras.Model,
    second: keras.Model,
    *,
    threads: int = 1,
    turns: int = 20,
    watcher: Watcher = silent,
) -> LayerBenchmark:
    """Times the layers of a model and of what pruning made of it.

    Each layer becomes a TFLite file of its own: the interpreter tells Python nothing of its single
    operations. What fuses in the whole file (an activation, a BatchNorm) is not counted here.

    Args:
        first: a model.
        second: one whose layers have the same names.
        threads: that compute.
        turns: how often each layer has its turn.
        watcher: told of every layer.

    Returns:
        A row per layer that has other MACs in the second model.

    Raises:
        ConfigError: the models share no such layer.
        ModelError: a model cannot be traced.
    """
    before, after = _working(first), _working(second)
    names = [n for n in before if n in after and macs(before[n]) != macs(after[n])]
    if not names:
        raise ConfigError(
            f"{first.name!r} and {second.name!r} have no layer of the same name with other MACs. "
            "Give a model and the same one pruned."
        )
    rows = []
    for done, name in enumerate(names, start=1):
        rows.append(_row(name, before[name], after[name], threads, turns))
        watcher(Progress("layers", done, len(names)))
    return LayerBenchmark(threads, tuple(rows))


def _working(model: keras.Model) -> dict[str, Call]:
    """The calls of layers that multiply, by name."""
    return {
        call.operation.name: call
        for _, call, _ in opened(trace(model))
        if isinstance(call.operation, keras.Layer) and len(call.inputs) == 1 and _works(call)
    }


def _works(call: Call) -> bool:
    try:
        return macs(call) > 0
    except Unsupported:
        return False


def _row(name: str, before: Call, after: Call, threads: int, turns: int) -> LayerTiming:
    with tempfile.TemporaryDirectory() as folder:
        calls = [
            _runner(call, Path(folder) / f"{i}.tflite", threads)
            for i, call in enumerate((before, after))
        ]
        ms, ms_after = (1e3 * float(np.median(s)) for s in interleaved(calls, turns))
    ratio, speedup = macs(before) / macs(after), ms / ms_after
    return LayerTiming(
        name, before.outputs[0].shape[-1], after.outputs[0].shape[-1], ms, ms_after, ratio, speedup,
        speedup / ratio,
    )  # fmt: skip


def _runner(call: Call, path: Path, threads: int) -> Callable[[], Arrays]:
    """The layer alone, as a file, on one example."""
    layer = type(call.operation).from_config(call.operation.get_config())
    inputs = keras.Input(call.inputs[0].shape[1:], dtype=call.inputs[0].dtype)
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights(call.operation.get_weights())
    rows = math.ceil(call.rows or 1)  # of one example
    export(model, path, batch_size=rows)
    runtime = open_runtime(path, threads, trusted=True)
    example = np.random.default_rng(0).uniform(0, 1, (rows, *inputs.shape[1:])).astype(inputs.dtype)
    return lambda: runtime([example])
