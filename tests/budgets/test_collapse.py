"""No default leaves a layer as the neck of the network."""

import warnings

import keras
import numpy as np
import pytest

from keras_prune import criteria, zoo
from keras_prune.budgets import Budget
from keras_prune.budgets.budget import SCOPES
from keras_prune.graph import ChannelGraph
from keras_prune.surgery import prune_graph
from tests.surgery.invariant import randomise

NETWORKS = {
    "vgg16": lambda: zoo.vgg16((32, 32, 3)),
    "resnet20": lambda: zoo.get("resnet20")((16, 16, 3)),
    "mobilenet_v2_cifar": lambda: zoo.get("mobilenet_v2_cifar")((16, 16, 3)),
    "densenet40": lambda: zoo.get("densenet40")((16, 16, 3)),
    "googlenet_cifar": lambda: zoo.get("googlenet_cifar")((16, 16, 3)),
}
OF_WEIGHTS = ("l1", "l2", "fpgm", "cosine", "lamp", "bn_scale")
OF_DATA = ("taylor", "fisher")
Y = np.arange(16) % 10


COSTLY = ("densenet40", "googlenet_cifar", "mobilenet_v2_cifar")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.slow] if name in COSTLY else []) for name in NETWORKS
    ],
)
def graph(request):
    keras.utils.set_random_seed(0)
    return ChannelGraph(randomise(NETWORKS[request.param]()))


def pictures(graph):
    shape = (len(Y), *graph.model.input_shape[1:])
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


def least(graph, scores, **budget):
    """The fraction that the group keeps which keeps least."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of budgets that whole channels do not fit
        plan = Budget(**budget).allocate(graph, scores)
    whole = {name: group.channels for name, group in graph.groups.items()}
    return min(len(kept) / whole[name] for name, kept in plan.kept.items())


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "criterion", [*OF_WEIGHTS, *(pytest.param(name, marks=pytest.mark.slow) for name in OF_DATA)]
)
def test_every_group_keeps_a_tenth(graph, criterion):
    scores = criteria.get(criterion)(graph, (pictures(graph), Y))
    for scope in SCOPES:
        for kept in (0.5, 0.3):
            assert least(graph, scores, macs=kept, scope=scope) >= 0.1, (scope, kept)


def test_the_pruned_network_runs(graph):
    plan = Budget(macs=0.3).allocate(graph, criteria.get("l1")(graph))
    assert prune_graph(graph, plan)(pictures(graph)).shape == (16, 10)


def test_without_limits_and_by_the_norm_a_wide_layer_would_collapse():
    graph = ChannelGraph(randomise(NETWORKS["vgg16"]()))
    scores = criteria.get("l1")(graph)
    assert least(graph, scores, macs=0.3, normalize="l2", max_ratio=1.0) < 0.1
