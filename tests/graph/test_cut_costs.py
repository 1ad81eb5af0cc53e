"""The cost of a cut is that of the pruned model, exactly."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph, CutCosts
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.surgery import prune_graph
from tests.networks import NETWORKS, head, image, sampled


def random_masks(graph: ChannelGraph, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    masks = {}
    for name, group in graph.groups.items():
        masks[name] = rng.random(group.channels) < rng.uniform(0.1, 0.9)
        masks[name][rng.integers(group.channels)] = True
    return masks


def assert_exact(graph: ChannelGraph, masks: dict[str, np.ndarray]) -> None:
    costs = CutCosts(graph)
    pruned = prune_graph(graph, PruningPlan.from_masks(graph, masks))
    assert costs.parameters(masks) == pruned.count_params()
    try:
        total = profile(pruned).total
    except ModelError:
        with pytest.raises(ModelError, match="known size"):
            costs.macs(masks)
    else:
        assert (costs.parameters(masks), costs.macs(masks)) == (total.parameters, total.macs)


@pytest.mark.parametrize("name", sampled())
def test_a_cut_costs_what_the_pruned_model_does(name):
    graph = ChannelGraph(NETWORKS[name].build())
    assert_exact(graph, {})
    assert_exact(graph, random_masks(graph, seed=len(name)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ResNet50", "MobileNetV2", "DenseNet121", "EfficientNetB0"])
def test_a_cut_of_a_real_network_costs_what_the_pruned_one_does(name):
    graph = ChannelGraph(getattr(keras.applications, name)(weights=None, input_shape=(64, 64, 3)))
    assert_exact(graph, random_masks(graph, seed=0))


def test_a_model_without_groups_costs_what_it_does():
    graph = ChannelGraph(keras.Sequential([keras.Input((4,)), kl.Dense(3)]))
    assert (CutCosts(graph).parameters({}), CutCosts(graph).macs({})) == (15, 12)


def test_parameters_are_known_where_work_is_not():
    i = image(size=None)
    graph = ChannelGraph(keras.Model(i, head(kl.Conv2D(8, 3, name="a")(i))))
    assert CutCosts(graph).parameters({"a": np.arange(8) < 1}) == 27 + 1 + 4 + 4


def test_a_call_is_counted_again_only_at_other_lengths(monkeypatch):
    counted = []
    i = keras.Input((4,))
    graph = ChannelGraph(keras.Model(i, kl.Dense(3)(kl.Dense(8, name="a")(i))))
    costs = CutCosts(graph)
    costs.macs({})
    monkeypatch.setattr(
        "keras_prune.graph.rules.dense.DenseRule.macs", lambda *args: counted.append(args) or 7
    )
    assert costs.macs({"a": np.ones(8, bool)}) == 4 * 8 + 8 * 3
    assert costs.macs({"a": np.arange(8) < 2}) == costs.macs({"a": np.arange(8) >= 6}) == 14
    assert len(counted) == 2
