"""Values out of range are refused with the key's name."""

import subprocess
import sys

import pytest

from keras_prune.errors import ConfigError
from keras_prune.methods.filter_agent import FilterAgentConfig


@pytest.mark.parametrize(
    ("field", "value"),
    [("b", 0.0), ("b", -1.0), ("b", float("nan")), ("samples", 1), ("max_updates", 0),
     ("patience", 0), ("reward_images", 0), ("learning_rate", 0.0), ("rounds", 0),
     ("exclude", "conv1")],
)  # fmt: skip
def test_out_of_range(field, value):
    with pytest.raises(ConfigError, match=field):
        FilterAgentConfig(**{field: value})


def test_it_is_imported_without_keras():
    code = (
        "import sys, keras_prune.methods.filter_agent.config;"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
