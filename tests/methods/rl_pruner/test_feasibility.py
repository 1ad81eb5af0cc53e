"""The environment of a real network, and what is refused."""

import keras
import numpy as np
import pytest

from keras_prune import Task
from keras_prune.budgets import Budget
from keras_prune.criteria import get
from keras_prune.errors import ConfigError, DataError, ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rl_pruner import RLPruner, pruning_environment
from keras_prune.methods.rl_pruner.feasibility import check
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from tests.budgets.networks import dense_graph
from tests.methods.filter_agent.small import residual_network
from tests.rollouts.examples import IMAGES, answers, regression_network

LABELS = np.zeros(len(IMAGES), int)
TASK = Task((IMAGES, LABELS), validation=(IMAGES, LABELS))


@pytest.fixture(scope="module")
def graph():
    return ChannelGraph(residual_network(seed=0))


def test_a_sample_is_worth_what_the_pruned_network_is(graph):
    budgets, action = Budget(macs=0.5).steps(1, graph), np.array([0.1, 0.2, 0.3, 0.4])
    plan = pruning_environment(graph, budgets, TASK, criterion="l1").plan(action)
    right = answers(prune(graph.model, plan), ["second_norm"])
    task = Task((IMAGES, LABELS), validation=(IMAGES, right))
    told = pruning_environment(graph, budgets, task, criterion="l1").step(action)[4]
    assert told["value"] == 100
    assert told["plan"] == plan
    assert told["macs"] <= 0.5


def test_a_regression_is_rewarded_by_its_own_objective():
    graph = ChannelGraph(regression_network())
    data = IMAGES, IMAGES.sum(axis=(1, 2, 3))[:, None]
    task = Task(data, validation=data, loss="mse", metrics=["mae"]).bind(graph.model)
    env = pruning_environment(graph, [Budget(macs=0.5)], task, criterion="l1")
    _, reward, _, _, told = env.step(np.ones(2))
    expected = task.value(prune(graph.model, told["plan"]))
    assert (told["value"], reward) == pytest.approx((expected, -expected), rel=1e-5)


def test_scores_are_computed_once_on_training_data_and_rewards_on_validation_data(graph):
    calls = []

    def criterion(graph, data):
        calls.append(data)
        return get("l1")(graph)

    task = Task((IMAGES + 1, LABELS), validation=(IMAGES, LABELS))
    budgets = Budget(macs=0.5).steps(2, graph)
    env = pruning_environment(
        graph, budgets, task, criterion=criterion, calibration_images=7, reward_images=20
    )
    for seed in range(3):
        env.reset()
        for action in np.random.default_rng(seed).random((2, 4)):
            env.step(action)
    [(images, labels)] = calls
    assert len(images) == len(labels) == 7
    known = {image.tobytes() for image in IMAGES + 1}
    assert {image.tobytes() for image in images} <= known
    assert env._evaluator.update.experimental_get_tracing_count() == 1


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
        pruning_environment(graph, [budget], TASK)
    assert "\n" not in str(raised.value)


def test_the_method_refuses_it_before_anything_is_read(graph):
    with pytest.raises(ConfigError, match="cannot be met"):
        RLPruner(macs=0.001).check(graph.model, None)


def test_just_as_far_as_it_can_go_can_be_asked_for(graph):
    least = Budget(macs=0.5).furthest(graph)
    env = pruning_environment(graph, [Budget(macs=least)], TASK, criterion="l1")
    kept = env.step(np.ones(4))[4]["plan"].kept
    assert {len(channels) for channels in kept.values()} == {1}


@pytest.mark.parametrize(
    ("graph", "exclude"), [(dense_graph(a=8), []), (dense_graph(a=8, b=8), ["b"])]
)
def test_one_group_alone_leaves_nothing_to_share_out(graph, exclude):
    with pytest.raises(ModelError, match=r"at least two groups .* with 1 \(a\)"):
        check(Budget(macs=0.5, exclude=exclude), graph)


def test_on_the_way_one_group_may_be_left():
    graph = dense_graph(a=8, b=8)
    small = ChannelGraph(prune(graph.model, PruningPlan.for_graph(graph, {"a": (0,)})))
    check(Budget(params=0.1, origin=graph), small)
    with pytest.raises(ModelError, match="at least two groups"):
        check(Budget(params=0.5), small)


def test_a_task_without_data_is_refused(graph):
    with pytest.raises(DataError, match="has no train data"):
        pruning_environment(graph, [Budget(macs=0.5)], Task(validation=(IMAGES, LABELS)))
    with pytest.raises(DataError, match="has no validation data"):
        pruning_environment(graph, [Budget(macs=0.5)], Task((IMAGES, LABELS)))


def test_every_family_of_networks_has_an_environment():
    layers = keras.layers
    x = image = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, name="first")(x)
    x = layers.Conv2D(8, 3, groups=2, name="grouped")(x)
    twice = layers.Conv2D(8, 1, padding="same", name="twice")
    x = layers.Concatenate()([twice(twice(x)), x])
    logits = layers.Dense(3, name="logits")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(image, logits)
    env = pruning_environment(ChannelGraph(model), [Budget(macs=0.5)], TASK, criterion="l1")
    small = prune(model, env.step(np.ones(len(env.groups)))[4]["plan"])
    assert small.get_layer("grouped").groups == 2
    assert small.get_layer("grouped").filters < 8
    assert small.get_layer("twice").filters < 8
