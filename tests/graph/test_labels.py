"""The walk: what it leaves behind when a rule gives up, and tensors that could shrink two ways."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.graph import ChannelGraph, Rule, Unsupported, register
from keras_prune.graph.arrays import shrinking_axis
from keras_prune.graph.rules import base
from tests.networks import conv, head, image
from tests.surgery.invariant import assert_invariant, half_plan, randomise


@pytest.fixture
def rules():
    """The table of rules, put back afterwards."""
    before = dict(base._LAYERS)
    yield base._LAYERS
    base._LAYERS.clear()
    base._LAYERS.update(before)


@keras.saving.register_keras_serializable("tests")
class Scale(kl.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), name="scale")

    def call(self, x):
        return x * self.scale.value  # which no symbolic tensor has


def scaled() -> keras.Model:
    i = image()
    return keras.Model(i, head(Scale(name="scale")(conv(8, "a")(i))))


def test_a_registered_rule_opens_a_custom_layer(rules):
    assert not ChannelGraph(scaled()).groups

    @register(Scale)
    class ScaleRule(Rule):
        def label(self, call, walk):
            walk.bind(call.operation, call.operation.scale, 0, walk.channels(call.inputs[0], -1))
            return [walk.of(call.inputs[0])]

    model = randomise(scaled())
    graph = ChannelGraph(model)
    assert {g.name: g.channels for g in graph.groups.values()} == {"a": 8} and not graph.barriers
    assert_invariant(model, half_plan(graph))


def test_a_rule_that_forgets_a_weight_makes_a_barrier(rules):
    @register(Scale)
    class Forgetful(Rule):
        def label(self, call, walk):
            return [walk.of(call.inputs[0])]

    graph = ChannelGraph(scaled())
    assert not graph.groups
    assert [pin.reason for pin in graph.barriers] == ["its weight 'scale' is unknown to the rule"]


def test_a_rule_that_gives_up_half_way_pins_what_it_bound(rules):
    @register(kl.Dense)
    class GivesUp(base.rule_for(kl.Dense(1)).__class__):
        def label(self, call, walk):
            super().label(call, walk)
            raise Unsupported("changed its mind")

    i = image()
    x = kl.Dense(5, name="d")(conv(8, "a")(i))
    graph = ChannelGraph(keras.Model(i, kl.Conv2D(2, 1)(conv(3, "b")(x))))
    assert {g.name: g.channels for g in graph.groups.values()} == {"b": 3}
    assert [(pin.name, pin.reason) for pin in graph.barriers] == [("d", "changed its mind")]


def test_a_weight_of_another_length_is_refused(rules):
    @register(Scale)
    class Wrong(Rule):
        def label(self, call, walk):
            labels = walk.channels(call.inputs[0], -1)
            walk.bind(call.operation, call.operation.scale, 0, np.repeat(labels, 2))
            return [walk.of(call.inputs[0])]

    (barrier,) = ChannelGraph(scaled()).barriers
    assert barrier.reason == "scale has length 8 along axis 0 for 16 channels"


def test_a_tensor_that_could_shrink_two_ways_takes_the_way_with_more_units():
    def pairs(shape: tuple[int, int]) -> dict[str, int]:
        i = keras.Input((4,))
        x = kl.Flatten()(kl.Reshape(shape)(kl.Dense(12, name="a")(i)))
        groups = ChannelGraph(keras.Model(i, kl.Dense(3)(x))).groups
        return {group.name: group.channels for group in groups.values()}

    assert pairs((6, 2)) == pairs((2, 6)) == {"a": 6}
    assert pairs((12, 1)) == {"a": 12}


@pytest.mark.parametrize(
    ("roots", "axis"),
    [([[1, 2], [1, 2]], 1), ([[1, 1], [2, 2]], 0), ([[3, 3], [3, 3]], 1), ([[1, 2], [3, 4]], None)],
)
def test_shrinking_axis(roots, axis):
    assert shrinking_axis(np.array(roots)) == axis


def test_outputs_are_pinned_and_say_so():
    i = keras.Input((4,))
    graph = ChannelGraph(keras.Model(i, kl.Dense(3)(kl.Dense(5)(i))))
    assert [pin.reason for pin in graph.pins] == ["a model output"]
    assert not graph.barriers


def test_a_gate_is_pinned_and_says_so():
    i = image()
    x = conv(8, "a")(i)
    graph = ChannelGraph(keras.Model(i, head(kl.Multiply()([x, conv(1, "gate")(x)]))))
    assert "a gate that is broadcast over channels" in [pin.reason for pin in graph.pins]


def test_a_deep_chain_of_residual_blocks_is_one_group_and_cheap():
    i = keras.Input((4, 4, 2))
    x = kl.Conv2D(4, 1, name="stem")(i)
    for _ in range(30):
        x = kl.Add()([x, kl.Conv2D(4, 1)(kl.BatchNormalization()(x))])
    graph = ChannelGraph(keras.Model(i, head(x)))
    assert {g.name: g.channels for g in graph.groups.values()} == {"stem": 4}
    assert len(graph.groups["stem"].members) == 2 * 31 + 30 * 5 + 1
