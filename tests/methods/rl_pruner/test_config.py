"""The configuration of the search."""

import pytest

from keras_prune.errors import ConfigError
from keras_prune.methods.rl_pruner import RLPruner, RLPrunerConfig


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Expected one budget"),
        ({"macs": 0.5, "params": 0.5}, "Received: macs=0.5, params=0.5"),
        ({"macs": 0}, r"Expected macs to be a number in \(0, 1\], the fraction to keep"),
        ({"ratio": 1.0}, r"Expected ratio to be a number in \[0, 1\), the fraction to remove"),
        ({"macs": 0.5, "criterion": "tailor"}, "Did you mean 'taylor'"),
        ({"macs": 0.5, "steps": 0}, "steps must be at least 1. Received: 0."),
        ({"macs": 0.5, "samples": 0}, "samples must be"),
        ({"macs": 0.5, "depth": 0}, "depth must be"),
        ({"macs": 0.5, "reward_images": 0}, "reward_images must be"),
        ({"macs": 0.5, "discount": 1.5}, r"discount to be a number in \[0, 1\]. Received: 1.5"),
        ({"macs": 0.5, "epsilon": -0.1}, "Expected epsilon"),
        ({"macs": 0.5, "floor": 1.0}, r"floor to be a number in \[0, 1\)"),
        ({"macs": 0.5, "noise": 0}, "noise to be a positive number"),
        ({"macs": 0.5, "max_drop": 0.0}, "max_drop to be positive, or none"),
        ({"macs": 0.5, "max_ratio": 2.0}, "max_ratio: expected"),
    ],
)
def test_mistakes_are_named(given, message):
    with pytest.raises(ConfigError, match=message) as told:
        RLPruner(**given)
    assert "\n" not in str(told.value)


def test_the_budget_has_all_limits():
    budget = RLPrunerConfig(params=0.4, round_to=4, max_ratio=0.9, exclude=("stem",)).budget
    assert (budget.params, budget.round_to, budget.max_ratio) == (0.4, 4, 0.9)
    assert budget.exclude == ("stem",)
