"""Values out of range are refused with the key's name."""

import pytest

from keras_prune.errors import ConfigError
from keras_prune.methods.filter_agent import FilterAgentConfig


@pytest.mark.parametrize(
    ("field", "value"),
    [("b", 0.0), ("b", -1.0), ("b", float("nan")), ("samples", 1), ("max_steps", 0),
     ("patience", 0), ("images", 0), ("learning_rate", 0.0)],
)  # fmt: skip
def test_out_of_range(field, value):
    with pytest.raises(ConfigError, match=field):
        FilterAgentConfig(**{field: value})
