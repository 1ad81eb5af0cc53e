"""Calls of a model file on made-up examples, to be timed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_prune.errors import ConfigError
from keras_prune.runtimes import Arrays, Runtime
from keras_prune.runtimes.base import attributed, made_up


def call(path: Path, runtime: Runtime, count: int) -> Callable[[], Arrays]:
    """What calls a model file on `count` examples, the same ones each time.

    Args:
        path: what messages call the file.
        runtime: the file.
        count: examples in a call.

    Raises:
        ConfigError: the file takes another number of them, or leaves another length open.
        ModelError: it cannot be run.
    """
    check_count(path, runtime, count)
    chance = np.random.default_rng(0)
    arrays = [made_up(port, count, chance) for port in runtime.inputs]
    with attributed(path, "run"):
        runtime(arrays)  # what is timed is not looked at
    return lambda: runtime(arrays)


def check_count(path: Path, runtime: Runtime, count: int) -> None:
    """Refuses a batch size that a file does not take, as `call` does."""
    for entry in runtime.inputs:
        batch, *rest = entry.shape
        if batch not in (None, count):
            raise ConfigError(
                f"{path} only takes batches of {batch}. Received: batch size {count}."
            )
        if None in rest:
            raise ConfigError(
                f"Port {entry.name!r} of {path} has the open shape {entry.shape}: export the "
                "model with a fixed one."
            )
