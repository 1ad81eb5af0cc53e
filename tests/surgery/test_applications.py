"""The golden invariant on every network of `keras.applications`."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_prune.graph import ChannelGraph, Role
from keras_prune.surgery import prune_graph
from keras_prune.surgery.silencing import silence
from tests.surgery.invariant import assert_same, differ, half_plan, outputs, randomise

STATISTIC = "it computes a statistic over channels"


@dataclass(frozen=True)
class Family:
    """What the networks of a family have in common.

    Args:
        prefix: how the names of their constructors start.
        size: the height and width of the images, as small as the family allows.
        share: at least this share of all filters and units can be pruned.
        reasons: why calls may be barriers; any other one is one too much.
    """

    prefix: str
    size: int
    share: float
    reasons: frozenset[str] = frozenset()


FAMILIES = (
    Family("ConvNeXt", 32, 0.5, frozenset({STATISTIC})),
    Family("DenseNet", 32, 0.9),
    Family("EfficientNet", 32, 0.9),
    Family("InceptionResNetV2", 75, 0.9),
    Family("InceptionV3", 75, 0.9),
    Family("MobileNet", 32, 0.9),
    Family("NASNet", 32, 0.9),
    Family("ResNet", 32, 0.9),
    Family("VGG", 32, 0.9),
    Family("Xception", 71, 0.9),
)
CONSTRUCTORS = sorted(name for name in vars(keras.applications) if name[0].isupper())
FAST = {"MobileNetV3Small"}


def family_of(name: str) -> Family:
    (family,) = (family for family in FAMILIES if name.startswith(family.prefix))
    return family


def application(name: str) -> keras.Model:
    options = {"weights": None, "classes": 10, "classifier_activation": None}
    size = family_of(name).size
    return getattr(keras.applications, name)(input_shape=(size, size, 3), **options)


def prunable_share(graph: ChannelGraph) -> float:
    """The share of all filters and units that belong to a group."""
    made = sum(len(b.labels) for b in graph.bindings if b.role is Role.PRODUCER)
    members = [m for group in graph.groups.values() for m in group.by_role(Role.PRODUCER)]
    return sum(int((member.owner >= 0).sum()) for member in members) / made


def check(name: str, file: Path) -> None:
    model = randomise(application(name))
    graph, family = ChannelGraph(model), family_of(name)
    assert {pin.reason for pin in graph.barriers} <= family.reasons
    assert prunable_share(graph) >= family.share
    plan = half_plan(graph)
    x = np.random.default_rng(1).normal(size=(2, family.size, family.size, 3)).astype("float32")
    before = outputs(model, x)
    silenced = outputs(silence(model, plan), x)
    pruned = prune_graph(graph, plan)
    assert_same(outputs(pruned, x), silenced)
    assert differ(silenced, before)
    pruned.save(file)
    del model, graph, pruned
    assert_same(outputs(keras.models.load_model(file), x), silenced)


def test_all_constructors_are_known():
    assert len(CONSTRUCTORS) >= 40
    assert all(family_of(name) for name in CONSTRUCTORS)


@pytest.mark.parametrize("name", sorted(FAST))
def test_pruned_is_silenced(name, tmp_path):
    check(name, tmp_path / "pruned.keras")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CONSTRUCTORS if name not in FAST])
def test_pruned_is_silenced_on_the_rest(name, tmp_path):
    check(name, tmp_path / "pruned.keras")
