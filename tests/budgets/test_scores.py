"""Scores are checked, normalised, and may pay for what a channel costs."""

import keras
import numpy as np
import pytest

from keras_prune.budgets.scores import check_normalize, checked, normalized, regularized
from keras_prune.errors import ConfigError, PlanError
from keras_prune.graph import ChannelGraph
from tests.budgets.networks import dense_graph
from tests.networks import conv, head, image

SCORES = {"a": np.array([3.0, -4.0]), "b": np.array([0.0, 0.0])}


@pytest.mark.parametrize(
    ("norm", "expected"),
    [("l2", [0.6, -0.8]), ("mean", [3 / 3.5, -4 / 3.5]), ("max", [0.75, -1]), ("none", [3, -4])],
)
def test_each_group_is_divided_by_its_norm(norm, expected):
    found = normalized(SCORES, norm)
    np.testing.assert_allclose(found["a"], expected)
    np.testing.assert_array_equal(found["b"], [0, 0])


def test_unknown_normalisations_are_errors():
    with pytest.raises(ConfigError, match="Unknown normalisation 'l1'"):
        check_normalize("l1")


def test_a_channel_pays_for_its_share_of_macs():
    graph = dense_graph(a=2, b=5)  # a channel of a costs 10 + 5, one of b 2 + 2
    scores = {"a": np.array([1.0, 2.0]), "b": np.ones(5)}
    found = regularized(graph, scores, 0.5)
    np.testing.assert_allclose(found["a"], [0.5, 1.5])
    np.testing.assert_allclose(found["b"], 1 - 0.5 * 4 / 15)
    assert regularized(graph, scores, 0) is scores


def test_unknown_costs_cannot_be_paid():
    i = image(size=None)
    graph = ChannelGraph(keras.Model(i, head(conv(8, "a")(i))))
    with pytest.raises(ConfigError, match="MACs of group 'a' cannot be counted"):
        regularized(graph, {"a": np.ones(8)}, 0.1)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "Group 'a' has no scores"),
        ({"a": np.ones(3)}, r"Group 'a': expected 4 scores, shape \(4,\). Received: shape \(3,\)"),
        (
            {"a": [1, np.nan, 2, 3]},
            "Group 'a': expected finite scores. Received: nan for channel 1",
        ),
        ({"a": np.full(4, np.inf)}, "finite"),
        ({"a": np.ones(4), "aa": np.ones(4)}, "Unknown group in the scores 'aa'. Did you mean 'a'"),
    ],
)
def test_scores_that_do_not_fit_are_errors(scores, message):
    with pytest.raises(PlanError, match=message):
        checked(dense_graph(a=4), scores, ())


def test_excluded_groups_need_no_scores():
    assert checked(dense_graph(a=4), {}, {"a"})["a"].tolist() == [0] * 4
