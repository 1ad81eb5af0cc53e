"""Values by a function of the user's, which is called with silenced networks."""

import numpy as np
import pytest

from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.rollouts import SilencedEvaluator, evaluator
from keras_prune.surgery import prune
from tests.methods.filter_agent.small import residual_network

from .examples import IMAGES, classes, mask_of


@pytest.fixture(scope="module")
def graph():
    return ChannelGraph(residual_network(seed=0))


def measured(graph, evaluate):
    """What `rollouts` make of a task with an `evaluate` of its own."""
    labels = np.zeros(len(IMAGES), int)
    task = classes(graph.model, labels, evaluate=evaluate, objective=("mine", "max"))
    return evaluator(graph, list(graph.groups.values()), task)


def test_the_function_sees_networks_that_compute_what_the_pruned_ones_do(graph):
    seen = []

    def evaluate(model, split):
        assert split == "validation"
        seen.append(model.predict(IMAGES, verbose=0))
        return {"mine": len(seen)}

    masks = [{name: mask_of(graph, name, seed) for name in graph.groups} for seed in (1, 2)]
    made = measured(graph, evaluate)
    assert isinstance(made, SilencedEvaluator)
    found = made.evaluate(np.stack([np.concatenate(list(each.values())) for each in masks]))
    assert found.tolist() == [1, 2]
    for mask, outputs in zip(masks, seen, strict=True):
        small = prune(graph.model, PruningPlan.from_masks(graph, mask))
        np.testing.assert_allclose(outputs, small.predict(IMAGES, verbose=0), rtol=1e-4, atol=1e-5)
    assert not np.allclose(*seen)


@pytest.mark.parametrize("fails", [False, True])
def test_the_weights_are_brought_back(graph, fails):
    given = []

    def evaluate(model):
        given.append((model, model.get_weights()))
        if fails:
            raise RuntimeError("mine")
        return {"mine": 1.0}

    before = graph.model.get_weights()
    mask = np.concatenate([mask_of(graph, name) for name in graph.groups])
    if fails:
        with pytest.raises(RuntimeError, match="mine"):
            measured(graph, evaluate).evaluate(mask)
    else:
        measured(graph, evaluate).evaluate(mask)
    [(twin, silenced)] = given
    assert twin is not graph.model
    assert any((a != b).any() for a, b in zip(silenced, before, strict=True))
    for model in (twin, graph.model):
        for old, now in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(old, now)
