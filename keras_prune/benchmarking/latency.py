"""How long a model takes on the TFLite interpreter."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from weakref import WeakKeyDictionary

import keras

from keras_prune.benchmarking.calls import call
from keras_prune.errors import ConfigError
from keras_prune.exporting.model_export import export
from keras_prune.runtimes import Arrays, Runtime, open_runtime

WARM_UP = 3

_loaded: WeakKeyDictionary[keras.Model, Runtime] = WeakKeyDictionary()
"""Files of models that were measured: one is measured often, its conversion takes seconds.

What they compute may have been trained away since; how long it takes is the same.
"""


def tflite_latency(model: keras.Model, batch: int = 1, runs: int = 30) -> float:
    """The median time of one call on the TFLite interpreter, on one thread.

    Args:
        model: a built model; it is not changed. It is converted at the first call only.
        batch: examples per call; default 1.
        runs: how many calls are timed, after 3 that are not; default 30.

    Returns:
        Seconds.

    Raises:
        ConfigError: `batch` or `runs` is not a whole number from 1.
        ExportError: TFLite cannot express the model.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> tflite_latency(model, runs=5) > 0
    True
    """
    for name, value in (("batch", batch), ("runs", runs)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(f"{name}: expected a whole number from 1. Received: {value!r}.")
    if model not in _loaded:
        _loaded[model] = _load(model)
    run = call(Path("the converted model"), _loaded[model], batch)
    times = [_seconds(run) for _ in range(WARM_UP + runs)]
    return median(times[WARM_UP:])


def _load(model: keras.Model) -> Runtime:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        export(model, path)
        return open_runtime(path, threads=1, trusted=True)


def _seconds(run: Callable[[], Arrays]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
