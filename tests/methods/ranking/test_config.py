"""The configuration of a ranking."""

import pytest

from keras_prune.errors import ConfigError
from keras_prune.methods.ranking import Ranking, RankingConfig


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "one budget"),
        ({"macs": 0.5, "params": 0.5}, "one budget .* macs=0.5, params=0.5"),
        ({"macs": 1.5}, "macs"),
        ({"ratio": 1.0}, "ratio"),
        ({"macs": 0.5, "criterion": "taylr"}, "Did you mean 'taylor'"),
        ({"macs": 0.5, "steps": 0}, "steps must be at least 1. Received: 0"),
        ({"macs": 0.5, "calibration_images": 0}, "calibration_images"),
        ({"macs": 0.5, "scope": "globally"}, "scope"),
        ({"macs": 0.5, "round_to": 0}, "round_to"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_done(options, words):
    with pytest.raises(ConfigError, match=words) as told:
        Ranking(**options)
    assert "\n" not in str(told.value)


def test_the_budget_has_all_limits():
    given = {
        "params": 0.4, "round_to": 4, "max_ratio": 0.9, "min_channels": 2, "exclude": ("stem",),
        "scope": "local", "normalize": "max", "flops_weight": 0.1,
    }  # fmt: skip
    budget = RankingConfig(**given).budget
    assert {name: getattr(budget, name) for name in given} == given
