"""The environment of a real network, and what is refused."""

import keras
import numpy as np
import pytest

from keras_prune.budgets import Budget
from keras_prune.criteria import get
from keras_prune.errors import ConfigError, DataError, ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rl_pruner import pruning_environment
from keras_prune.methods.rl_pruner.building import check
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from tests.budgets.networks import dense_graph
from tests.methods.filter_agent.small import residual_network
from tests.methods.test_rollouts import IMAGES, answers

LABELS = np.zeros(len(IMAGES), int)


@pytest.fixture(scope="module")
def graph():
    return ChannelGraph(residual_network(seed=0))


def test_a_sample_scores_what_the_pruned_network_scores(graph):
    budgets, action = Budget(macs=0.5).steps(1, graph), np.array([0.1, 0.2, 0.3, 0.4])
    plan = pruning_environment(graph, budgets, (IMAGES, LABELS), criterion="l1").plan(action)
    right = answers(prune(graph.model, plan), ["second_norm"])
    env = pruning_environment(graph, budgets, (IMAGES, right), criterion="l1")
    told = env.step(action)[4]
    assert told["accuracy"] == 100
    assert told["plan"] == plan
    assert told["macs"] <= 0.5


def test_scores_are_computed_once_and_the_function_is_traced_once(graph):
    calls = []

    def criterion(graph, data):
        calls.append(data)
        return get("l1")(graph)

    budgets = Budget(macs=0.5).steps(2, graph)
    env = pruning_environment(
        graph, budgets, (IMAGES, LABELS), criterion=criterion, calibration="some"
    )
    for seed in range(3):
        env.reset()
        for action in np.random.default_rng(seed).random((2, 4)):
            env.step(action)
    assert calls == ["some"]
    rollouts = env._measure.__self__
    assert rollouts.correct.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (Budget(macs=0.001), r"macs=0.001 cannot be met: .* pinned by logits .* than macs=0\.\d+"),
        (Budget(params=0.01, max_ratio=0.5), "cannot be met: min_channels=1, max_ratio=0.5 and"),
        (Budget(ratio=0.99), r"ratio=0.99 cannot be met: .* no further than ratio=0\.8"),
        (Budget(macs=1.0), "met already"),
        (Budget(macs=0.5, exclude=["nothing"]), "Unknown layer or group to exclude"),
    ],
)
def test_an_impossible_budget_says_how_far_it_can_go(graph, budget, message):
    with pytest.raises(ConfigError, match=message) as raised:
        pruning_environment(graph, [budget], (IMAGES, LABELS))
    assert "\n" not in str(raised.value)


def test_just_as_far_as_it_can_go_can_be_asked_for(graph):
    least = Budget(macs=0.5).furthest(graph)
    env = pruning_environment(graph, [Budget(macs=least)], (IMAGES, LABELS), criterion="l1")
    kept = env.step(np.ones(4))[4]["plan"].kept
    assert {len(channels) for channels in kept.values()} == {1}


@pytest.mark.parametrize(
    ("graph", "exclude"), [(dense_graph(a=8), []), (dense_graph(a=8, b=8), ["b"])]
)
def test_one_group_alone_leaves_nothing_to_share_out(graph, exclude):
    with pytest.raises(ModelError, match=r"at least two groups .* with 1 \(a\)"):
        pruning_environment(graph, [Budget(macs=0.5, exclude=exclude)], (IMAGES, LABELS))


def test_on_the_way_one_group_may_be_left():
    graph = dense_graph(a=8, b=8)
    small = ChannelGraph(prune(graph.model, PruningPlan.for_graph(graph, {"a": (0,)})))
    check(Budget(params=0.1, origin=graph), small)
    with pytest.raises(ModelError, match="at least two groups"):
        check(Budget(params=0.5), small)


def test_a_criterion_that_needs_data_says_so(graph):
    with pytest.raises(DataError, match="Expected calibration data"):
        pruning_environment(graph, [Budget(macs=0.5)], (IMAGES, LABELS), criterion="taylor")


def test_every_family_of_networks_has_an_environment():
    layers = keras.layers
    x = image = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, name="first")(x)
    x = layers.Conv2D(8, 3, groups=2, name="grouped")(x)
    twice = layers.Conv2D(8, 1, padding="same", name="twice")
    x = layers.Concatenate()([twice(twice(x)), x])
    logits = layers.Dense(3, name="logits")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(image, logits)
    graph = ChannelGraph(model)
    env = pruning_environment(graph, [Budget(macs=0.5)], (IMAGES, LABELS), criterion="l1")
    small = prune(model, env.step(np.ones(len(env.groups)))[4]["plan"])
    assert small.get_layer("grouped").groups == 2
    assert small.get_layer("grouped").filters < 8
    assert small.get_layer("twice").filters < 8
