"""Masks measured by several processes, each of which builds its evaluator once."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from keras_prune.errors import ConfigError, KerasPruneError
from keras_prune.utils.own_modules import import_inherited
from keras_prune.utils.quiet import quiet_descriptors
from keras_prune.utils.reasons import reason

if TYPE_CHECKING:
    from keras_prune.graph import ChannelGraph, ChannelGroup, ResidualBlock
    from keras_prune.rollouts.base import Evaluator
    from keras_prune.training.task import Examples, Task


class Pool:
    """Processes that measure masks. Used as a context manager.

    What travels is small: once for an evaluator the network's file, group names, loss and metrics,
    once for all evaluators the examples, and then masks.

    Args:
        workers: how many processes; each computes on its share of the processor's cores.
        deterministic: whether their threads compute in a fixed order.
    """

    def __init__(self, workers: int, *, deterministic: bool = False) -> None:
        if workers < 1:
            raise ConfigError(f"Expected workers to be at least 1. Received: {workers}.")
        self.workers = workers
        self._folder = tempfile.TemporaryDirectory(prefix="keras-prune-")
        self._examples: list[tuple[Any, str]] = []
        self._made = 0
        self._processes = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(max(1, (os.cpu_count() or 1) // workers), deterministic),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._processes.shutdown(cancel_futures=True)
        self._folder.cleanup()

    def evaluator(
        self,
        graph: ChannelGraph,
        groups: Sequence[ChannelGroup | ResidualBlock],
        task: Task,
        examples: Examples,
        precision: str,
    ) -> Evaluator:
        """An evaluator whose masks are shared out among the processes.

        Raises:
            ConfigError: the model, loss or metrics cannot be sent to another process.
        """
        self._made += 1
        model = Path(self._folder.name) / f"model{self._made}.keras"
        try:
            graph.model.save(model)
            sent = pickle.dumps(task.judging(), protocol=5)
        except Exception as error:  # whatever a class or function of the user's raises
            raise ConfigError(_untransferable(error)) from error
        names = tuple(group.name for group in groups)
        spec = _Spec(self._made, str(model), names, sent, self._stored(examples), precision)
        return _Shared(self._processes, spec)

    def _stored(self, examples: Examples) -> str:
        """The file of some examples, written once."""
        for known, path in self._examples:
            if _same(known, examples):
                return path
        path = str(Path(self._folder.name) / f"examples{len(self._examples)}.pickle")
        with Path(path).open("wb") as file:
            pickle.dump(examples, file, protocol=5)
        self._examples.append((examples, path))
        return path


@dataclass(frozen=True)
class _Spec:
    """All that a process needs to build an evaluator."""

    number: int
    model: str
    groups: tuple[str, ...]
    judging: bytes
    examples: str
    precision: str


class _Shared:
    """An evaluator that hands each mask to whichever process is free."""

    def __init__(self, processes: ProcessPoolExecutor, spec: _Spec) -> None:
        self._processes, self._spec = processes, spec

    def evaluate(self, masks: np.ndarray) -> np.ndarray:
        """The objective under each mask; see `Evaluator`."""
        try:
            futures = [
                self._processes.submit(_measure, self._spec, mask) for mask in np.atleast_2d(masks)
            ]
            return np.array([future.result() for future in futures])
        except BrokenProcessPool as error:
            raise ConfigError(
                "A worker process ended before its work was done: memory may have run out, or a "
                "script runs without `if __name__ == '__main__':`. Use fewer workers; a run in a "
                "directory goes on where it stopped."
            ) from error


_built: dict[int, Any] = {}
"""The evaluator this process has built last, by number: the memory of one is enough."""


def _begin(threads: int, deterministic: bool) -> None:
    """Prepares a process before TensorFlow starts in it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process' to handle
    with quiet_descriptors():
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.list_logical_devices()  # starts the runtime, with its greetings
        if deterministic:
            from keras_prune.training.determinism import fix_order

            fix_order()
            tf.random.set_seed(0)  # for what a model draws in inference
        import_inherited()


def _measure(spec: _Spec, mask: np.ndarray) -> float:
    try:
        if spec.number not in _built:
            _built.clear()
            _built[spec.number] = _build(spec)
        return float(_built[spec.number].evaluate(mask[None])[0])
    except KerasPruneError as error:
        raise ConfigError(str(error)) from None


def _build(spec: _Spec) -> Evaluator:
    from keras_prune.graph import ChannelGraph
    from keras_prune.rollouts.local import LocalEvaluator
    from keras_prune.runtimes.loading import load_model

    try:
        model, task = load_model(spec.model), pickle.loads(spec.judging)
    except Exception as error:  # whatever a module or class of the user's raises
        raise ConfigError(_untransferable(error)) from error
    graph = ChannelGraph(model)
    with Path(spec.examples).open("rb") as file:
        examples = pickle.load(file)
    groups = [graph.removable(name) for name in spec.groups]
    return LocalEvaluator(graph, groups, task, examples, spec.precision)


def _untransferable(error: Exception) -> str:
    return (
        "The model, loss or metrics cannot be taken to another process: "
        f"{reason(error).rstrip('.')}. Define them in a module of their own, or use one worker."
    )


def _same(one: Any, other: Any) -> bool:
    import keras

    pairs = zip(keras.tree.flatten(one), keras.tree.flatten(other), strict=False)
    return all(
        a is b or (a is not None and b is not None and np.array_equal(a, b)) for a, b in pairs
    )
