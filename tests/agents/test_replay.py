"""The replay memory."""

import numpy as np
import pytest

from keras_prune.agents import Replay


def test_the_oldest_entries_give_way():
    replay = Replay(capacity=4, seed=0)
    for start in (0, 3, 6):
        replay.add(np.arange(start, start + 3))
    [drawn] = replay.draw(500)
    assert set(drawn) == {5, 6, 7, 8}


def test_rows_stay_together():
    replay = Replay(capacity=10, seed=0)
    replay.add(np.arange(25), np.arange(50).reshape(25, 2))
    numbers, pairs = replay.draw(100)
    np.testing.assert_array_equal(pairs, np.stack([2 * numbers, 2 * numbers + 1], axis=1))


def test_the_same_seed_draws_the_same():
    both = [Replay(capacity=10, seed=3) for _ in range(2)]
    for replay in both:
        replay.add(np.arange(10))
    np.testing.assert_array_equal(both[0].draw(20), both[1].draw(20))


@pytest.mark.parametrize("added", [0, 6, 10, 27])
def test_it_goes_on_as_if_nothing_had_happened(added):
    replay, again = Replay(capacity=10, seed=3), Replay(capacity=10, seed=0)
    if added:
        replay.add(np.arange(added))
        replay.draw(5)
    again.restore(replay.state())
    for each in (replay, again):
        each.add(np.arange(100, 104))
    np.testing.assert_array_equal(again.draw(50), replay.draw(50))
    assert len(again) == len(replay)
