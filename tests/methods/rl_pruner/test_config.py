"""The configuration of the search."""

import pytest

from keras_prune.errors import ConfigError
from keras_prune.methods.rl_pruner import RLPrunerConfig


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Expected one budget"),
        ({"macs": 0.5, "params": 0.5}, "Received: macs=0.5, params=0.5"),
        ({"macs": 0}, "macs: expected the fraction of MACs to keep"),
        ({"ratio": 1.0}, "ratio: expected the fraction of channels to remove"),
        ({"criterion": "tailor"}, "Did you mean 'taylor'"),
        ({"stages": 0}, "Expected stages to be at least 1. Received: 0."),
        ({"samples": 0}, "Expected samples"),
        ({"discount": 1.5}, r"discount to be a number in \[0, 1\]. Received: 1.5"),
        ({"epsilon": -0.1}, "Expected epsilon"),
        ({"floor": 1.0}, r"floor to be a number in \[0, 1\)"),
        ({"noise": 0}, "noise to be a positive number"),
        ({"max_drop": 0.0}, "max_drop to be positive, or none"),
        ({"max_ratio": 2}, "max_ratio: expected"),
    ],
)
def test_mistakes_are_named(given, message):
    given = (
        given if not given or {"macs", "params", "ratio"} & set(given) else {"macs": 0.5} | given
    )
    with pytest.raises(ConfigError, match=message):
        RLPrunerConfig(**given)


def test_the_budget_has_all_limits():
    budget = RLPrunerConfig(params=0.4, round_to=4, max_ratio=0.9, exclude=("stem",)).budget
    assert (budget.params, budget.round_to, budget.max_ratio) == (0.4, 4, 0.9)
    assert budget.exclude == ("stem",)
