"""What each group costs alone."""

import numpy as np
import pytest

from keras_prune.errors import ConfigError, ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.ranking import sensitivity
from keras_prune.rollouts.local import Rollouts
from tests.methods.filter_agent.small import residual_network

IMAGES = np.random.default_rng(0).normal(size=(40, 8, 8, 3)).astype("float32")


@pytest.fixture(scope="module")
def graph():
    return ChannelGraph(residual_network(seed=2))


@pytest.fixture(scope="module")
def labels(graph):
    """What the whole network says, with the statistics of these images behind the first group."""
    return np.argmax(graph.model(IMAGES, training=False), axis=-1)


@pytest.fixture(scope="module")
def scores(graph):
    random = np.random.default_rng(1)
    return {name: random.normal(size=group.channels) for name, group in graph.groups.items()}


@pytest.fixture(scope="module")
def table(graph, scores, labels):
    return sensitivity(graph, scores, IMAGES, labels, ratios=(0.8, 0.4))


def test_there_is_a_row_per_group_and_ratio(graph, table):
    assert [*zip(table["group"], table["ratio"], strict=True)] == [
        (name, ratio) for name in graph.groups for ratio in (0.4, 0.8)
    ]
    assert (table["channels"] == [graph.groups[name].channels for name in table["group"]]).all()


def test_a_joined_group_names_all_its_layers(table):
    rows = table[table["group"] == "stem"]
    assert set(rows["layers"]) == {"stem, branch"}


def test_the_lowest_scores_go(graph, scores, labels, table):
    for row in table.itertuples():
        ranked = np.argsort(scores[row.group])
        mask = np.ones(row.channels, "float32")
        mask[ranked[: int(row.ratio * row.channels + 1e-9)]] = 0
        assert row.kept == mask.sum()
        expected = Rollouts(graph, [graph.groups[row.group]], IMAGES, labels).accuracy(mask)
        assert row.accuracy == pytest.approx(expected)
    assert table["drop"].abs().max() > 0


def test_a_channel_stays(graph, scores, labels):
    assert sensitivity(graph, scores, IMAGES, labels, ratios=(0.99,))["kept"].min() == 1


@pytest.mark.parametrize("ratio", [0.0, 1.0, -0.5, float("nan")])
def test_a_ratio_out_of_range_is_refused(graph, scores, labels, ratio):
    with pytest.raises(ConfigError, match="between 0 and 1"):
        sensitivity(graph, scores, IMAGES, labels, ratios=(ratio,))


def test_a_model_with_nothing_to_prune_is_refused(labels):
    import keras

    inputs = keras.Input((8, 8, 3))
    only = keras.Model(inputs, keras.layers.Dense(4)(keras.layers.Flatten()(inputs)))
    with pytest.raises(ModelError, match="no prunable channels"):
        sensitivity(ChannelGraph(only), {}, IMAGES, labels)
