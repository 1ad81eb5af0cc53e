"""The networks for CIFAR: their published sizes, and that they can be pruned."""

import keras
import numpy as np
import pytest

from keras_prune import zoo
from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.profiling import profile
from tests.surgery.invariant import assert_invariant, half_plan, randomise

# Trainable parameters; published: parameters and MACs, in millions.
SIZES = {
    "resnet20": (269_722, 0.27, 40.6),
    "resnet56": (853_018, 0.85, 125.49),
    "resnet110": (1_727_962, 1.73, 252.89),
    "densenet40": (1_019_722, 1.02, 533 / 2),
    "googlenet_cifar": (6_158_346, 6.15, 1520),
    "mobilenet_v2_cifar": (2_236_682, 2.24, 87.98),
    "vgg19": (20_035_018, 20.04, 797 / 2),
    "resnext29": (34_426_698, 34.4, 10_709 / 2),
}


def trainable(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


COSTLY = ("googlenet_cifar",)


@pytest.mark.parametrize(
    "name",
    [
        *sorted(SIZES.keys() - COSTLY),
        *(pytest.param(name, marks=pytest.mark.slow) for name in COSTLY),
    ],
)
def test_has_the_published_parameters_and_macs(name):
    parameters, published, macs = SIZES[name]
    model = zoo.get(name)()
    assert trainable(model) == parameters
    assert parameters / 1e6 == pytest.approx(published, rel=5e-3)
    assert profile(model).total.macs / 1e6 == pytest.approx(macs, rel=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cardinality", "width", "parameters", "macs"),
    [pytest.param(16, 64, 68_155_210, 10_709, marks=pytest.mark.slow), (32, 4, 4_775_754, 781)],
)
def test_resnext_has_the_published_size_at_other_widths(cardinality, width, parameters, macs):
    model = zoo.resnext29(cardinality=cardinality, width=width)
    assert trainable(model) == parameters
    assert profile(model).total.macs / 1e6 == pytest.approx(macs, rel=1e-2)


def test_mobilenet_has_the_published_parameters_on_imagenet():
    assert trainable(zoo.mobilenet_v2_cifar(num_classes=1000)) == 3_504_872


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "resnet20",
        pytest.param("resnet56", marks=pytest.mark.slow),
        pytest.param("resnet110", marks=pytest.mark.slow),
        "densenet40",
        "googlenet_cifar",
        "mobilenet_v2_cifar",
        "vgg19",
    ],
)
def test_pruned_is_silenced(name):
    model = randomise(zoo.get(name)((16, 16, 3), 7))
    graph = ChannelGraph(model)
    assert not graph.barriers
    assert {pin.name for pin in graph.pins} == {"logits"}
    assert_invariant(model, half_plan(graph))


@pytest.mark.parametrize(
    "width",
    [pytest.param(width, marks=pytest.mark.slow) for width in ((8, 64), (4, 4))],
    ids=lambda width: width[0],
)
def test_grouped_convolutions_are_pruned(width):
    cardinality, each = width
    model = randomise(zoo.resnext29((8, 8, 3), 7, cardinality, each))
    small = assert_invariant(model, half_plan(ChannelGraph(model)))
    grouped = small.get_layer("stage1_block1_grouped")
    assert grouped.groups == cardinality
    assert grouped.filters == cardinality * each // 2


@pytest.mark.parametrize("name", SIZES)
def test_an_impossible_input_is_refused(name):
    with pytest.raises(ModelError, match=f"{name} expected an RGB input of at least"):
        zoo.get(name)((3, 32, 3))
    with pytest.raises(ModelError, match="RGB"):
        zoo.get(name)((32, 32, 1))
