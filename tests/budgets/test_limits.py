"""Which numbers of channels a group may keep."""

import numpy as np
import pytest

from keras_prune.budgets import Budget
from keras_prune.budgets.limits import Limits
from keras_prune.errors import ConfigError
from tests.budgets.networks import dense_graph, residual_graph


def levels(channels: int, before: int | None = None, **options) -> list[int]:
    graph, origin = dense_graph(a=channels), dense_graph(a=before or channels)
    return Limits.of(Budget(macs=0.5, **options)).levels(graph, origin)["a"].tolist()


def test_by_default_one_channel_stays():
    assert levels(4) == [1, 2, 3, 4]


def test_a_group_keeps_a_minimum_or_all_it_has():
    assert levels(5, min_channels=4) == [4, 5]
    assert levels(5, min_channels=9) == [5]


def test_a_group_loses_at_most_a_fraction():
    assert levels(10, max_ratio=0.3) == [7, 8, 9, 10]
    assert levels(10, max_ratio=0.25) == [8, 9, 10]


def test_the_fraction_is_that_of_the_original():
    assert levels(8, before=10, max_ratio=0.3) == [7, 8]
    assert levels(6, before=10, max_ratio=0.3) == [6]


def test_a_group_keeps_a_multiple_or_stays_whole():
    assert levels(20, round_to=8) == [8, 16, 20]
    assert levels(6, round_to=8) == [6]
    assert levels(20, round_to=8, min_channels=9) == [16, 20]


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("inner", {"inner"}),
        ("norm", {"inner"}),  # it carries the channels of `inner`
        ("out", {"stem"}),  # it makes the channels of `stem`, too
        ("[io]*", {"inner", "stem"}),
        ("head", set()),  # its own channels stay anyway
    ],
)
def test_groups_are_excluded_by_the_layers_that_make_or_carry_their_channels(name, groups):
    assert Limits.of(Budget(macs=0.5, exclude=[name])).excluded(residual_graph()) == groups


def test_an_excluded_group_stays_whole():
    graph = residual_graph()
    found = Limits.of(Budget(macs=0.5, exclude=["inner"])).levels(graph, graph)
    assert found["inner"].tolist() == [32]
    np.testing.assert_array_equal(found["stem"], range(4, 33))  # a tenth of them


def test_an_exclusion_that_matches_nothing_is_an_error():
    with pytest.raises(ConfigError, match="'iner'. Did you mean 'inner'?"):
        Limits.of(Budget(macs=0.5, exclude=["iner"])).excluded(residual_graph())


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"min_channels": 0}, "min_channels: expected a whole number from 1. Received: 0"),
        ({"round_to": 2.0}, "round_to: expected a whole number"),
        ({"round_to": True}, "round_to: expected a whole number"),
        ({"max_ratio": 0}, r"max_ratio: .* in \(0, 1\]. Received: 0"),
        ({"max_ratio": "half"}, "max_ratio"),
        ({"exclude": "conv1"}, "exclude: expected a list of names. Received: 'conv1'"),
    ],
)
def test_limits_out_of_range_are_errors(option, message):
    with pytest.raises(ConfigError, match=message):
        Budget(macs=0.5, **option)
