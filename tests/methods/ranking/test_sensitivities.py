"""What each group costs alone."""

import keras
import numpy as np
import pytest

from keras_prune import Task
from keras_prune.errors import ConfigError, ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.ranking import RATIOS, sensitivity
from keras_prune.rollouts import LocalEvaluator
from tests.methods.filter_agent.small import residual_network
from tests.rollouts.examples import IMAGES, regression_network


@pytest.fixture(scope="module")
def graph():
    return ChannelGraph(residual_network(seed=2))


@pytest.fixture(scope="module")
def task(graph):
    """To answer what the whole network does."""
    labels = np.argmax(graph.model(IMAGES, training=False), axis=-1)
    return Task((IMAGES, labels), validation=(IMAGES, labels))


def random_scores(graph):
    random = np.random.default_rng(1)
    return {name: random.normal(size=group.channels) for name, group in graph.groups.items()}


@pytest.fixture(scope="module")
def scores(graph):
    return random_scores(graph)


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def table(graph, scores, task, told):
    return sensitivity(graph, scores, task, ratios=(0.8, 0.4), watcher=told.append)


def test_there_is_a_row_per_group_and_ratio(graph, table, told):
    whole, groups = table.iloc[0], table.iloc[1:]
    assert (whole["group"], whole["ratio"], whole["drop"]) == ("none", 0, 0)
    assert whole["kept"] == whole["channels"] == sum(g.channels for g in graph.groups.values())
    table = groups
    assert [*zip(table["group"], table["ratio"], strict=True)] == [
        (name, ratio) for name in graph.groups for ratio in (0.4, 0.8)
    ]
    assert (table["channels"] == [graph.groups[name].channels for name in table["group"]]).all()
    assert [(step.done, step.total) for step in told] == [(n, 4) for n in range(1, 5)]


def test_a_joined_group_names_all_its_layers(table):
    rows = table[table["group"] == "stem"]
    assert set(rows["layers"]) == {"stem, branch"}


def test_the_lowest_scores_go_and_the_drop_is_from_the_whole_network(graph, scores, task, table):
    """One baseline for all, though the groups lie at different depths."""
    bound = task.bind(graph.model)
    groups = list(graph.groups.values())
    measure = LocalEvaluator(graph, groups, bound, bound.examples("validation"))
    whole = measure.evaluate(np.ones(sum(group.channels for group in groups)))[0]
    assert table["accuracy"][0] == pytest.approx(whole)
    for row in table.iloc[1:].itertuples():
        masks = {group.name: np.ones(group.channels, "float32") for group in groups}
        lowest = np.argsort(scores[row.group])[: int(row.ratio * row.channels + 1e-9)]
        masks[row.group][lowest] = 0
        assert row.kept == masks[row.group].sum()
        assert row.accuracy == pytest.approx(measure.evaluate(np.concatenate([*masks.values()]))[0])
        assert row.drop == pytest.approx(whole - row.accuracy)
    assert table["drop"].abs().max() > 0


def test_a_regression_has_its_own_objective():
    graph = ChannelGraph(regression_network())
    data = IMAGES, IMAGES.sum(axis=(1, 2, 3))[:, None]
    task = Task(data, validation=data, loss="mse", metrics=["mae"], objective="mae")
    table = sensitivity(graph, random_scores(graph), task, images=10, ratios=(0.5,))
    few = IMAGES[:10], data[1][:10]
    whole = Task(few, validation=few, loss="mse", metrics=["mae"]).bind(graph.model)
    np.testing.assert_allclose(table["drop"], table["mae"] - whole.value(graph.model), rtol=1e-4)


def test_a_channel_stays(graph, scores, task):
    assert sensitivity(graph, scores, task, ratios=(0.99,))["kept"].min() == 1
    assert RATIOS == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@pytest.mark.parametrize("ratio", [0.0, 1.0, -0.5, float("nan")])
def test_a_ratio_out_of_range_is_refused(graph, scores, task, ratio):
    with pytest.raises(ConfigError, match="between 0 and 1"):
        sensitivity(graph, scores, task, ratios=(ratio,))


def test_a_model_with_nothing_to_prune_is_refused(task):
    inputs = keras.Input((8, 8, 3))
    only = keras.Model(inputs, keras.layers.Dense(4)(keras.layers.Flatten()(inputs)))
    with pytest.raises(ModelError, match="no prunable channels"):
        sensitivity(ChannelGraph(only), {}, task)
