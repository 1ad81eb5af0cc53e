"""Equation by equation: Huang et al. (2018), section 3."""

import math

import pytest

from keras_prune.methods.filter_agent.reward import reward


def test_no_drop_earns_the_logarithm_of_the_reduction():
    assert reward(0.0, b=1.0, kept=25, channels=100) == pytest.approx(math.log(4))


def test_half_the_tolerated_drop_earns_half():
    assert reward(1.0, b=2.0, kept=25, channels=100) == pytest.approx(math.log(4) / 2)


def test_the_tolerated_drop_earns_nothing():
    assert reward(1.0, b=1.0, kept=1, channels=100) == 0


def test_keeping_all_earns_nothing():
    assert reward(-3.0, b=1.0, kept=100, channels=100) == 0


def test_a_gain_in_accuracy_earns_more_than_none():
    assert reward(-1.0, 1.0, 50, 100) == pytest.approx(2 * reward(0.0, 1.0, 50, 100))


def test_beyond_the_tolerated_drop_removing_more_costs_more():
    assert reward(1.5, 1.0, 10, 100) < reward(1.5, 1.0, 50, 100) < 0


def test_a_collapse_counts_as_twice_the_tolerated_drop():
    assert reward(80.0, 1.0, 50, 100) == reward(2.0, 1.0, 50, 100)


def test_a_drop_that_is_no_number_is_the_worst():
    assert reward(math.nan, 1.0, 50, 100) == reward(2.0, 1.0, 50, 100)
