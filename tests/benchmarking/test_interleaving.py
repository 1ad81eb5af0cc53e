"""What is timed in turns."""

import gc

import numpy as np

from keras_prune.benchmarking import interleaving
from keras_prune.benchmarking.interleaving import CALLS, interleaved


def test_turns_alternate_and_begin_with_an_untimed_call():
    order, turns = [], []
    interleaved([lambda: order.append("a"), lambda: order.append("b")], 2, turns.append)
    block = 1 + CALLS
    assert order == ["a"] * block + ["b"] * block + ["b"] * block + ["a"] * block
    assert turns == [1, 2]


def test_seconds_are_those_of_their_own_call(monkeypatch):
    """On a clock that only the calls move."""
    now = [0.0]
    monkeypatch.setattr(interleaving.time, "perf_counter", lambda: now[0])

    def taking(seconds):
        def call():
            now[0] += seconds

        return call

    short, long = interleaved([taking(1), taking(3)], 4)
    np.testing.assert_array_equal(short, np.full(4 * CALLS, 1))
    np.testing.assert_array_equal(long, np.full(4 * CALLS, 3))


def test_no_garbage_is_collected_meanwhile():
    seen = []
    interleaved([lambda: seen.append(gc.isenabled())], 1)
    assert not any(seen) and gc.isenabled()
