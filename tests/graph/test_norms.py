"""Norms over channels: barriers by default, admitted by an option."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.errors import PlanError
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from keras_prune.surgery.silencing import silence
from tests.networks import behind, conv, head, image
from tests.surgery.invariant import (
    assert_invariant,
    assert_same,
    example,
    half_plan,
    outputs,
    randomise,
)

GROUPS = {"a": 8, "b": 6}
IN_PAIRS = {"a": 4, "b": 6}  # of two groups' channels one each leaves

# A norm behind a convolution of 8 channels on 6x6 positions, and the units admitted.
NORMS = {
    "layer": (lambda: kl.LayerNormalization(), GROUPS),
    "layer_bare": (lambda: kl.LayerNormalization(center=False, scale=False), GROUPS),
    "layer_offset": (lambda: kl.LayerNormalization(scale=False), GROUPS),
    "layer_all_axes": (lambda: kl.LayerNormalization(axis=(1, 2, 3)), GROUPS),
    "rms": (lambda: kl.RMSNormalization(), GROUPS),
    "unit": (lambda: kl.UnitNormalization(), GROUPS),
    "group": (lambda: kl.GroupNormalization(2), IN_PAIRS),
    "group_bare": (lambda: kl.GroupNormalization(2, center=False, scale=False), IN_PAIRS),
    "one_group": (lambda: kl.GroupNormalization(1), GROUPS),
}


@pytest.mark.parametrize("name", NORMS)
def test_channels_stay_unless_norms_are_admitted(name):
    graph = ChannelGraph(behind(NORMS[name][0]()))
    assert list(graph.groups) == ["b"] and not graph.statistics
    assert [pin.reason for pin in graph.barriers] == ["it computes a statistic over channels"]


@pytest.mark.parametrize("name", NORMS)
def test_an_admitted_norm_loses_channels(name, tmp_path):
    make, groups = NORMS[name]
    graph = ChannelGraph(randomise(behind(make())), admit_norms=True)
    assert {group.name: group.channels for group in graph.groups.values()} == groups
    assert not graph.barriers
    assert_invariant(graph.model, half_plan(graph), tmp_path / "pruned.keras")


@pytest.mark.parametrize("admit", [False, True])
@pytest.mark.parametrize(
    "norm",
    [kl.GroupNormalization(-1), kl.LayerNormalization(axis=1), kl.LayerNormalization([1, 2])],
)
def test_channels_pass_a_norm_that_treats_each_alone(norm, admit):
    graph = ChannelGraph(randomise(behind(norm)), admit_norms=admit)
    assert {group.name: group.channels for group in graph.groups.values()} == GROUPS
    assert not graph.barriers and not graph.statistics
    assert_invariant(graph.model, half_plan(graph))


def convnext(width: int) -> keras.Model:
    """A stem and two ConvNeXt blocks; the pointwise layers are free, the width is shared."""
    i = image()
    x = kl.LayerNormalization(epsilon=1e-6)(conv(width, "stem")(i))
    for block in "ab":
        y = kl.Conv2D(width, 7, padding="same", groups=width, name=f"{block}_depthwise")(x)
        y = kl.LayerNormalization(epsilon=1e-6)(y)
        y = kl.Dense(4 * width, activation="gelu", name=f"{block}_wide")(y)
        x = kl.Add()([x, kl.Dense(width, name=f"{block}_narrow")(y)])
    x = kl.LayerNormalization(epsilon=1e-6)(kl.GlobalAveragePooling2D()(x))
    return keras.Model(i, kl.Dense(4)(x))


def test_convnext_blocks(tmp_path):
    model = randomise(convnext(6))
    assert set(ChannelGraph(model).groups) == {"a_wide", "b_wide"}
    graph = ChannelGraph(model, admit_norms=True)
    widths = {group.name: group.channels for group in graph.groups.values()}
    assert widths == {"stem": 6, "a_wide": 24, "b_wide": 24} and not graph.barriers
    assert_invariant(model, half_plan(graph), tmp_path / "pruned.keras")


def shared() -> keras.Model:
    """One norm behind two convolutions, and one on the channels of both."""
    i = image()
    norm = kl.LayerNormalization(center=False, scale=False)
    x = kl.Concatenate()([norm(conv(8, "a")(i)), norm(conv(8, "b")(i))])
    return keras.Model(i, head(conv(5, "c")(kl.GroupNormalization(1)(x))))


def nested() -> keras.Model:
    i = image()
    inner = keras.Input((6, 6, 8))
    block = keras.Model(inner, kl.LayerNormalization()(conv(8, "c")(inner)), name="block")
    return keras.Model(i, head(block(kl.Permute((2, 1, 3))(conv(8, "a")(i)))))


def first() -> keras.Model:
    """Channels in the middle axis of a sequence."""
    i = keras.Input((5, 3))
    x = kl.Permute((2, 1))(kl.Dense(8, name="a")(i))
    x = kl.Permute((2, 1))(kl.GroupNormalization(2, axis=1)(kl.LayerNormalization(axis=1)(x)))
    return keras.Model(i, kl.Dense(3)(x))


@pytest.mark.parametrize(
    ("make", "groups"), [(shared, {"b": 8, "c": 5}), (nested, {"a": 8, "c": 8}), (first, {"a": 4})]
)
def test_norms_met_in_several_ways(make, groups, tmp_path):
    graph = ChannelGraph(randomise(make()), admit_norms=True)
    found = {group.name.split("/")[-1]: group.channels for group in graph.groups.values()}
    assert found == groups
    assert not graph.barriers
    assert_invariant(graph.model, half_plan(graph), tmp_path / "pruned.keras")


def test_the_deprecated_scaling_of_layer_normalization_stays():
    with pytest.warns(UserWarning, match="rms_scaling"):
        norm = kl.LayerNormalization(rms_scaling=True)
    assert list(ChannelGraph(behind(norm), admit_norms=True).groups) == ["b"]


class Normed(kl.Layer):
    """A norm of Keras inside a layer of a user's, and a weight beside it."""

    def build(self, shape):
        self.norm = kl.LayerNormalization()
        self.norm.build(shape)
        self.scale = self.add_weight((shape[-1],), name="scale")

    def call(self, x):
        return self.norm(x) * self.scale


@pytest.mark.parametrize("make", [lambda: kl.TimeDistributed(kl.LayerNormalization()), Normed])
def test_a_norm_inside_a_layer_is_never_admitted(make):
    """The twin cannot tell it which channels are left."""
    graph = ChannelGraph(randomise(behind(make())), admit_norms=True)
    assert list(graph.groups) == ["b"] and not graph.statistics
    assert_invariant(graph.model, half_plan(graph))


def test_softmax_stays_pinned():
    assert list(ChannelGraph(behind(kl.Softmax()), admit_norms=True).groups) == ["b"]


def test_the_twin_can_be_saved(tmp_path):
    graph = ChannelGraph(randomise(behind(kl.LayerNormalization())), admit_norms=True)
    twin, x = silence(graph.model, half_plan(graph)), example(graph.model)
    twin.save(tmp_path / "twin.keras")
    assert_same(outputs(keras.models.load_model(tmp_path / "twin.keras"), x), outputs(twin, x))


def test_the_plan_carries_the_choice(tmp_path):
    model = randomise(behind(kl.LayerNormalization()))
    graph = ChannelGraph(model, admit_norms=True)
    plan = half_plan(graph)
    assert plan.admit_norms and not half_plan(ChannelGraph(model)).admit_norms
    plan.save(tmp_path / "plan.json")
    assert PruningPlan.load(tmp_path / "plan.json") == plan
    with pytest.raises(PlanError, match=r"Use ChannelGraph\(model, admit_norms=True\)"):
        plan.check(ChannelGraph(model))

    once = prune(model, plan)
    later = PruningPlan.for_graph(ChannelGraph(once, admit_norms=True), {"a": (0, 2), "b": (1,)})
    x = example(model)
    assert_same(outputs(prune(once, later), x), outputs(prune(model, plan.then(later)), x))
    with pytest.raises(PlanError, match="do not compose.*admit_norms"):
        plan.then(half_plan(ChannelGraph(once)))


def test_an_older_plan_admits_no_norms(tmp_path):
    plan = half_plan(ChannelGraph(behind(kl.ReLU())))
    plan.save(tmp_path / "plan.json")
    text = (tmp_path / "plan.json").read_text().replace('"admit_norms": false, ', "")
    assert "admit_norms" not in text
    (tmp_path / "old.json").write_text(text)
    assert PruningPlan.load(tmp_path / "old.json") == plan


def test_the_statistic_is_that_of_the_channels_left():
    """By hand, without the twin."""
    i = keras.Input((4,))
    norm = kl.LayerNormalization(epsilon=0.01)
    model = randomise(keras.Model(i, kl.Dense(2, name="head")(norm(kl.Dense(6, name="a")(i)))))
    kept = [1, 3, 4]
    plan = PruningPlan.for_graph(ChannelGraph(model, admit_norms=True), {"a": kept})
    x = example(model)
    kernel, bias = model.get_layer("a").get_weights()
    y = (x @ kernel + bias)[:, kept]
    y = (y - y.mean(1, keepdims=True)) / np.sqrt(y.var(1, keepdims=True) + 0.01)
    gamma, beta = (weight[kept] for weight in norm.get_weights())
    kernel, bias = model.get_layer("head").get_weights()
    by_hand = (y * gamma + beta) @ kernel[kept] + bias
    assert_same(outputs(prune(model, plan), x), [by_hand])
    assert_same(outputs(silence(model, plan), x), [by_hand])
