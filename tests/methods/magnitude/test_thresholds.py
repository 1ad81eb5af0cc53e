"""Which of a kernel's remaining weights stay."""

import numpy as np
import pytest

from keras_prune.methods.magnitude.thresholds import deviation, largest, quantile

ALL = np.ones((4, 5), bool)
VALUES = np.random.default_rng(0).normal(size=(4, 5))


@pytest.mark.parametrize(("rate", "left"), [(0.0, 20), (0.1, 18), (0.5, 10), (0.99, 1)])
def test_quantile_drops_that_fraction_of_the_smallest(rate, left):
    kept = quantile(VALUES, ALL, rate)
    assert kept.sum() == left
    assert np.abs(VALUES)[kept].min() >= np.abs(VALUES)[~kept].max(initial=0)


def test_quantile_counts_remaining_weights_only():
    once = quantile(VALUES, ALL, 0.5)
    twice = quantile(VALUES, once, 0.5)
    assert twice.sum() == 5
    assert (twice <= once).all()


def test_a_masked_weight_never_returns():
    mask = np.abs(VALUES) < 0.5  # the large ones left
    assert (quantile(VALUES, mask, 0.3) <= mask).all()
    assert (deviation(VALUES, mask, 0.3) <= mask).all()


def test_deviation_measures_the_remaining_weights():
    values = np.array([0.0, 0.0, 0.0, 1.0, -1.0, 3.0, -3.0])
    mask = np.array([0, 0, 0, 1, 1, 1, 1], bool)
    # standard deviation of (1, -1, 3, -3) is sqrt(5) = 2.236, of all seven 1.69
    assert deviation(values, mask, 0.5).sum() == 2  # 1 < 1.118; by all seven 1 > 0.845
    assert deviation(values, mask, 0.4).sum() == 4


def test_one_weight_always_stays():
    assert deviation(VALUES, ALL, 100.0).sum() == 1
    assert quantile(VALUES, ALL, 0.999).sum() == 1


def test_of_equal_scores_the_first_stays():
    assert largest(np.ones(4), np.array([False, True, True, True]), 2).tolist() == [
        False, True, True, False,
    ]  # fmt: skip
