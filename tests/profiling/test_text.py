"""Profiles and comparisons printed for a terminal."""

import keras
import pytest

from keras_prune.profiling import compare, profile
from tests.networks.barriers import untraceable


def model(units):
    inputs = keras.Input((100,))
    return keras.Model(inputs, keras.layers.Dense(units, name="dense")(inputs))


def test_a_profile_prints_its_rows_and_their_total():
    header, dense, total = str(profile(model(50))).splitlines()
    assert header.split() == ["kind", "output_shape", "parameters", "macs", "flops", "bytes"]
    assert dense.split()[0] == "dense"
    assert dense.split()[-4:] == ["5,050", "5,000", "10,050", "20,200"]
    assert total.split() == ["total", "5,050", "5,000", "10,050", "20,200"]


def test_a_comparison_prints_before_after_and_the_reduction():
    lines = str(compare(model(50), model(10))).splitlines()
    assert lines[0].split()[:5] == ["parameters", "before", "parameters", "after", "parameters"]
    assert lines[1].split()[:4] == ["dense", "5,050", "1,010", "80.0"]
    assert lines[-1].split()[:4] == ["total", "5,050", "1,010", "80.0"]


@pytest.mark.filterwarnings("ignore")
def test_what_no_rule_counts_is_marked():
    inputs = keras.Input((4, 8))
    unknown = keras.Model(inputs, keras.layers.Lambda(untraceable)(inputs))
    assert "?" in str(profile(unknown))
