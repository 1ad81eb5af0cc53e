"""How a sparsity of the whole is spread."""

import numpy as np
import pytest

from keras_prune.methods.magnitude.distributions import (
    DISTRIBUTIONS,
    erk_densities,
    lamp_scores,
)

RNG = np.random.default_rng(1)
VALUES = [RNG.normal(size=(5, 5, 1, 6)), RNG.normal(size=(40, 30)), 0.01 * RNG.normal(size=(30, 4))]
ALL = [np.ones(value.shape, bool) for value in VALUES]
TOTAL = sum(value.size for value in VALUES)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("density", [0.05, 0.3, 0.9])
def test_the_whole_keeps_the_density(name, density):
    kept = DISTRIBUTIONS[name](VALUES, ALL, density)
    assert abs(sum(int(mask.sum()) for mask in kept) - density * TOTAL) <= len(VALUES)
    assert [mask.shape for mask in kept] == [value.shape for value in VALUES]
    assert all(mask.any() for mask in kept)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_masked_weights_stay_masked(name):
    first = DISTRIBUTIONS[name](VALUES, ALL, 0.5)
    second = DISTRIBUTIONS[name](VALUES, first, 0.2)
    assert all((b <= a).all() for a, b in zip(first, second, strict=True))


def test_each_differs_in_what_it_spares():
    kept = {
        name: [round(float(mask.mean()), 2) for mask in rule(VALUES, ALL, 0.2)]
        for name, rule in DISTRIBUTIONS.items()
    }
    assert kept["uniform"] == [0.2, 0.2, 0.2]
    assert kept["global"][2] == 0.01  # one weight: the whole kernel is small
    assert kept["lamp"][2] > 0.2  # LAMP does not see a kernel's scale
    assert kept["erk"][1] < 0.2 < kept["erk"][2]


def test_erk_by_hand():
    # (5, 5, 1, 6): 17 / 150; (40, 30): 70 / 1200; (30, 4): 34 / 120. Densities 0.1 of 1470 = 147
    # weights = scale · (17 + 70 + 34), so scale = 147 / 121.
    expected = [147 / 121 * x for x in (17 / 150, 70 / 1200, 34 / 120)]
    shapes = [value.shape for value in VALUES]
    np.testing.assert_allclose(erk_densities(shapes, 0.1), expected)


def test_what_erk_would_keep_twice_goes_to_the_others():
    found = erk_densities([(2, 2), (50, 50)], 0.5)
    assert found[0] == 1.0
    assert found[0] * 4 + found[1] * 2500 == pytest.approx(0.5 * 2504)


def test_lamp_by_hand():
    values = np.array([[3.0, -1.0], [2.0, 0.0]])  # squares 9, 1, 4, 0
    np.testing.assert_allclose(lamp_scores(values), [[1.0, 1 / 14], [4 / 13, 0.0]])


def test_zero_kernels_have_scores():
    assert not lamp_scores(np.zeros((2, 2))).any()
