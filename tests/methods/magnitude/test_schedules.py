"""Schedules as plain data."""

import pytest

from keras_prune.errors import ConfigError
from keras_prune.methods.magnitude.schedules import ConstantSparsity, PolynomialDecay


@pytest.mark.parametrize("value", [0.0, 0.5, 0.999])
def test_every_sparsity_below_one_is_taken(value):
    assert ConstantSparsity(value, 0).goal == value
    assert PolynomialDecay(0.0, value, 0, 10).goal == value


@pytest.mark.parametrize("value", [-0.001, 1.0, 1.5, float("nan")])
@pytest.mark.parametrize(
    "make",
    [
        lambda s: ConstantSparsity(s, 0),
        lambda s: PolynomialDecay(s, 0.5, 0, 10),
        lambda s: PolynomialDecay(0.0, s, 0, 10),
    ],
)
def test_any_other_is_refused(make, value):
    with pytest.raises(ConfigError, match=r"a fraction of zero weights in \[0, 1\). Received"):
        make(value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConstantSparsity(0.5, -1), "begin_step to be 0 or more. Received: -1"),
        (lambda: ConstantSparsity(0.5, 5, 4), "greater than begin_step=5, or -1 for no end"),
        (lambda: ConstantSparsity(0.5, 0, frequency=0), "frequency to be at least 1"),
        (lambda: PolynomialDecay(0, 0.5, 3, 3), "greater than begin_step=3. Received: 3"),
        (lambda: PolynomialDecay(0, 0.5, 0, -1), "greater than begin_step=0. Received: -1"),
        (lambda: PolynomialDecay(0, 0.5, 0, 9, power=0), "power to be positive"),
    ],
)
def test_impossible_steps_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
