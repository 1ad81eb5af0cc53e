"""The configuration refuses what makes no sense."""

import pytest

from keras_prune.errors import ConfigError
from keras_prune.methods.rnp import RNP, RNPConfig


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("price", 0.0, "price to be below 0"),
        ("price", 0.1, "price to be below 0"),
        ("sets", 1, "sets to be at least 2"),
        ("alpha", 0.0, "alpha to be a positive number"),
        ("steps", 0, "steps must be at least 1"),
        ("episodes", 0, "episodes must be at least 1"),
        ("full", 1.1, r"full to be a number in \[0, 1\]"),
        ("tau", 0.0, r"tau to be a number in \(0, 1\]"),
        ("learning_rate", 0.0, "learning_rate to be a positive number"),
    ],
)
def test_a_value_out_of_range_is_refused(key, value, expected):
    with pytest.raises(ConfigError, match=expected):
        RNPConfig(**{key: value})


def test_an_unknown_criterion_is_refused():
    with pytest.raises(ConfigError, match="Did you mean 'taylor'"):
        RNP(criterion="tailor")


def test_the_configuration_is_light(elsewhere):
    code = "import sys; import keras_prune.methods.rnp.config; print('keras' in sys.modules)"
    assert elsewhere(code).endswith("False")
