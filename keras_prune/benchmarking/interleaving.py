"""Timing several things in turn, so that whatever slows the machine down slows all of them."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from keras_prune.utils.progress import Progress, Watcher

CALLS = 5
"""Timed calls in one turn."""


def interleaved(
    calls: Sequence[Callable[[], object]],
    turns: int,
    on_turn: Callable[[int], None] = lambda _: None,
) -> list[np.ndarray]:
    """Times each call, in turns.

    In a turn each is called `CALLS` times in a row, after once untimed: what ran before has filled
    the caches with its own weights. Every other turn goes backwards.

    Args:
        calls: what to time.
        turns: how often each has its turn.
        on_turn: told the number of turns done, after each.

    Returns:
        Seconds, one array `(turns * CALLS,)` per call.

    Example:

    >>> [seconds] = interleaved([lambda: time.sleep(0.001)], turns=2)
    >>> seconds.shape, bool(seconds.min() >= 0.001)
    ((10,), True)
    """
    seconds: list[list[float]] = [[] for _ in calls]
    with _no_collection():
        for turn in range(turns):
            order = range(len(calls)) if turn % 2 == 0 else reversed(range(len(calls)))
            for i in order:
                calls[i]()
                seconds[i] += [_seconds(calls[i]) for _ in range(CALLS)]
            on_turn(turn + 1)
    return [np.array(taken) for taken in seconds]


def told(watcher: Watcher, stage: str, turns: int) -> Callable[[int], None]:
    """What tells a watcher of every turn."""
    return lambda done: watcher(Progress(stage, done, turns))


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keeps Python's garbage collector from running inside a timed call."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
