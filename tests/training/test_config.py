"""The training configuration."""

import pytest

from keras_prune.errors import ConfigError
from keras_prune.training import TrainingConfig


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epochs", 0),
        ("epochs", 10**20),
        ("learning_rate", float("inf")),
        ("learning_rate", float("nan")),
        ("weight_decay", float("inf")),
        ("learning_rate", 0.0),
        ("steps_per_epoch", 0),
        ("momentum", 1.0),
        ("momentum", -0.001),
        ("weight_decay", -1e-9),
        ("label_smoothing", 1.0),
    ],
)
def test_a_value_out_of_range_is_refused(key, value):
    with pytest.raises(ConfigError, match=f"Expected {key} .* Received: {value}"):
        TrainingConfig(**({"epochs": 1, "learning_rate": 0.1} | {key: value}))


@pytest.mark.parametrize(
    ("key", "value", "near"),
    [("schedule", "onecycle", "one_cycle")],
)
def test_an_unknown_name_gets_a_suggestion(key, value, near):
    with pytest.raises(ConfigError, match=f"Did you mean '{near}'"):
        TrainingConfig(epochs=1, learning_rate=0.1, **{key: value})
