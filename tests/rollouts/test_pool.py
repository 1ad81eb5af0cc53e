"""Several processes measure what one does."""

import sys

import numpy as np
import pytest

from keras_prune import Task
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from keras_prune.rollouts import Pool, evaluator
from tests.methods.filter_agent.small import residual_network

from .examples import IMAGES, FatalLoss, answers, masks_of, regression_network

pytestmark = pytest.mark.slow  # each process imports TensorFlow


@pytest.fixture(scope="module")
def pool():
    with Pool(2) as made:
        yield made


def assert_equal_values(pool, graph, task, precision="float32"):
    masks = masks_of(graph, 6)
    groups = list(graph.groups.values())
    alone = evaluator(graph, groups, task, precision=precision)
    shared = evaluator(graph, groups, task, precision=precision, pool=pool)
    expected = alone.evaluate(masks)
    assert len(set(expected)) > 2
    for order in (slice(None), slice(None, None, -1)):
        assert shared.evaluate(masks[order]).tobytes() == expected[order].tobytes()


def test_two_processes_give_the_same_bytes_for_an_accuracy(pool):
    graph = ChannelGraph(residual_network(seed=0))
    data = IMAGES, answers(graph.model)
    assert_equal_values(pool, graph, Task(data, validation=data).bind(graph.model))


def test_two_processes_give_the_same_bytes_for_a_loss(pool):
    model = regression_network()
    data = IMAGES, IMAGES.sum(axis=(1, 2, 3))[:, None], np.arange(40, dtype="float32")
    task = Task(data, validation=data, loss="mse", objective="loss")
    assert_equal_values(pool, ChannelGraph(model), task.bind(model))


def test_a_loss_that_cannot_be_pickled_is_refused_in_one_line(pool):
    model = regression_network()
    data = IMAGES, np.zeros((40, 1), "float32")
    task = Task(data, validation=data, loss=lambda y, p: (y - p) ** 2).bind(model)
    graph = ChannelGraph(model)
    with pytest.raises(ConfigError, match="cannot be taken to another process: .* use one") as told:
        evaluator(graph, list(graph.groups.values()), task, pool=pool)
    assert "\n" not in str(told.value)


def test_what_is_wrong_in_a_process_is_told_here(pool):
    model = regression_network()
    data = IMAGES, np.zeros((40, 1), "float32")
    task = Task(data, validation=data, loss="mse", objective=("dice", "max")).bind(model)
    graph = ChannelGraph(model)
    with pytest.raises(ConfigError, match="'dice' is none of the figures there are: loss"):
        evaluator(graph, list(graph.groups.values()), task, pool=pool).evaluate(masks_of(graph, 1))


class Unknown:
    """Is sent by the name of a module that other processes do not find."""

    def __call__(self, labels, outputs):
        return (labels - outputs) ** 2


def test_a_loss_another_process_does_not_find_is_refused_in_one_line(pool, monkeypatch):
    monkeypatch.setattr(Unknown, "__module__", "main_of_a_user")
    monkeypatch.setitem(sys.modules, "main_of_a_user", sys.modules[__name__])
    model = regression_network()
    data = IMAGES, np.zeros((40, 1), "float32")
    task = Task(data, validation=data, loss=Unknown(), objective="loss").bind(model)
    graph = ChannelGraph(model)
    measure = evaluator(graph, list(graph.groups.values()), task, pool=pool)
    with pytest.raises(
        ConfigError, match="taken to another process: No module named 'main_of_a"
    ) as told:
        measure.evaluate(masks_of(graph, 1))
    assert "\n" not in str(told.value)


def test_a_process_that_dies_gives_one_line():
    model = regression_network()
    data = IMAGES, np.zeros((40, 1), "float32")
    task = Task(data, validation=data, loss=FatalLoss(), objective="loss").bind(model)
    graph = ChannelGraph(model)
    with Pool(1) as pool:
        measure = evaluator(graph, list(graph.groups.values()), task, pool=pool)
        with pytest.raises(ConfigError, match="worker process ended before its work") as told:
            measure.evaluate(masks_of(graph, 2))
    assert "\n" not in str(told.value)


def test_no_process_is_refused():
    with pytest.raises(ConfigError, match="workers to be at least 1. Received: 0"):
        Pool(0)
