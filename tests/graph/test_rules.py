"""One network for every row of the rules' tables: exact groups, no barrier, pruned == silenced."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import activations, ops
from keras import layers as kl

from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph, Role, Rule, register, rule_for
from keras_prune.graph.rules import base
from keras_prune.graph.rules.channelwise import ElementwiseRule
from keras_prune.graph.rules.common import ELEMENTWISE, is_elementwise
from keras_prune.graph.rules.joins import JoinRule
from tests.networks import behind, conv, head, image
from tests.surgery.invariant import assert_invariant, half_plan, randomise


def check(model: keras.Model, groups: dict[str, int]) -> None:
    randomise(model)
    graph = ChannelGraph(model)
    assert {group.name: group.channels for group in graph.groups.values()} == groups
    assert not graph.barriers
    assert_invariant(model, half_plan(graph))


def named_ops(rule: type[Rule]) -> list[Callable]:
    """The functions of `keras.ops` whose op is registered for a rule."""
    names = [name for name, own in base._NAMED.items() if type(own) is rule and "." not in name]
    functions = {name.replace("_", ""): getattr(ops, name) for name in dir(ops)}
    return [functions[name.lower()] for name in names if name.lower() in functions]


def sum_of(branches) -> keras.Model:
    """All branches of one tensor, added; a barrier among them would be listed."""
    return behind(lambda x: kl.Add()([branch(x) for branch in branches]))


FOR_INTEGERS = {ops.bitwise_invert, ops.bitwise_not, ops.bitwise_and, ops.bitwise_or,
                ops.bitwise_xor}  # fmt: skip
NEEDS = {
    ops.arccosh: lambda x: ops.arccosh(1 + x),
    ops.cast: lambda x: ops.cast(x, "float32"),
    ops.saturate_cast: lambda x: ops.saturate_cast(x, "float32"),
    ops.clip: lambda x: ops.clip(x, 0.3, 0.6),
    ops.threshold: lambda x: ops.threshold(x, 0.5, 0.1),
    ops.where: lambda x, y: ops.where(x > 0.5, x, y),
    ops.select: lambda x, y: ops.select([x > 0.7, y > 0.7], [x, y], 0.1),
}


def on_floats(op: Callable) -> Callable:
    """An op between 0 and 1, where all of them are defined, from floats to floats."""
    run = NEEDS.get(op, op)

    def branch(*tensors):
        tensors = [ops.sigmoid(x) * 0.8 + 0.1 for x in tensors]
        if op in FOR_INTEGERS:
            tensors = [ops.cast(x * 9, "int32") for x in tensors]
        return ops.cast(run(*tensors), "float32")

    return branch


def test_elementwise_ops():
    branches = [on_floats(op) for op in named_ops(ElementwiseRule)]
    assert len(branches) > 60
    check(sum_of(branches), {"a": 8, "b": 6})


def test_elementwise_ops_of_two_tensors():
    branches = [on_floats(op) for op in named_ops(JoinRule)]
    assert len(branches) > 25

    def block(x):
        y = conv(8, "y")(x)
        return kl.Add()([branch(x, y) for branch in branches])

    check(behind(block), {"a": 8, "b": 6})


ELEMENTWISE_LAYERS = [
    kl.ReLU(6.0), kl.LeakyReLU(), kl.ELU(), kl.Identity(), kl.Dropout(0.5),
    kl.SpatialDropout2D(0.5), kl.GaussianDropout(0.5), kl.GaussianNoise(0.5), kl.AlphaDropout(0.5),
    kl.ActivityRegularization(0.1), kl.Activation("mish"), kl.Rescaling(2.0, 1.0),
    kl.Dropout(0.5, noise_shape=(None, 1, 1, None)),
]  # fmt: skip


def test_elementwise_layers():
    check(sum_of(ELEMENTWISE_LAYERS), {"a": 8, "b": 6})


def test_ops_with_numbers():
    branches = [lambda x: ops.clip(x, -0.3, 0.4), lambda x: 2.0 / (x * x + 1)]
    check(sum_of(branches), {"a": 8, "b": 6})


def test_activations_are_elementwise_where_one_channel_does_not_feel_another():
    x = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    changed = x + np.eye(1, 5, 2, dtype="float32")
    for activation in ELEMENTWISE:
        difference = np.array(activation(x) - activation(changed))
        assert not difference[:, [0, 1, 3, 4]].any(), activation
    mixing = (activations.softmax, ops.softmax, lambda x: x / ops.sum(x), lambda x: x[..., ::-1])
    assert not any(map(is_elementwise, mixing))
    known = (None, ops.relu, lambda x: 0.5 * x * (1 + ops.tanh(x)))
    assert all(map(is_elementwise, known))


@pytest.mark.tensorflow
def test_activations_of_tensorflow_are_known_by_their_names():
    import tensorflow as tf

    assert all(map(is_elementwise, (tf.nn.relu, tf.nn.silu, tf.math.tanh, tf.nn.gelu)))
    assert not any(map(is_elementwise, (tf.nn.softmax, tf.nn.l2_normalize)))


@pytest.mark.parametrize("activation", ["softmax", "log_softmax", ops.softmax, kl.ReLU()])
@pytest.mark.parametrize("make", [kl.Dense, lambda n, **o: kl.SeparableConv2D(n, 1, **o)])
def test_an_activation_that_may_mix_channels_pins_its_layer(make, activation):
    i = image()
    x = make(5, activation=activation, name="mixed")(conv(8, "a")(i))
    graph = ChannelGraph(keras.Model(i, head(x)))
    assert list(graph.groups) == ["a"]
    assert any("may mix channels" in pin.reason and pin.name == "mixed" for pin in graph.pins)


@pytest.mark.parametrize("barrier", [kl.Softmax(), ops.softmax, ops.log_softmax])
def test_statistics_over_channels_are_barriers_with_a_reason(barrier):
    graph = ChannelGraph(behind(barrier))
    assert list(graph.groups) == ["b"]
    assert [pin.reason for pin in graph.barriers] == ["it computes a statistic over channels"]


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x * keras.Variable(np.arange(8.0, dtype="float32")),
        lambda x: ops.clip(x, [0.1 * c for c in range(8)], 1.0),
        lambda x: ops.cumsum(x, axis=-1),
        lambda x: ops.roll(x, 1),
        lambda x: ops.space_to_depth(x, 2, data_format="channels_first"),
        lambda x: ops.repeat(ops.take(x, np.array([[1, 2]]), axis=-1)[..., 0, :], 4, axis=-1),
        lambda x: ops.concatenate([x, np.zeros((3, 6, 6, 8), "float32")], axis=-1),
    ],
)
def test_what_may_treat_channels_differently_is_a_barrier(make):
    graph = ChannelGraph(behind(make))
    assert list(graph.groups) == ["b"] and graph.barriers


def test_an_embedding_with_an_adapter_is_a_barrier():
    i = keras.Input((6,), dtype="int32")
    table = kl.Embedding(9, 8, name="table")
    x = kl.Dense(3)(kl.Dense(4, name="a")(kl.Flatten()(table(i))))
    table.enable_lora(2)
    graph = ChannelGraph(keras.Model(i, x))
    assert list(graph.groups) == ["a"]
    assert all(isinstance(binding.variable, keras.Variable) for binding in graph.bindings)


@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize("order", ["channel", "filter"])
def test_depthwise_multiplier_behind_another_join(multiplier, order):
    """The multiplied channels of one input channel leave together, in the right places."""
    i = image()
    x = conv(4, "a")(i)
    if order == "channel":
        wide = kl.DepthwiseConv2D(3, padding="same", depth_multiplier=multiplier)(x)
    else:
        wide = conv(4 * multiplier, "w", groups=4)(x)
    x = kl.Add()([wide, conv(4 * multiplier, "b")(i)])
    check(keras.Model(i, head(x)), {next(iter(ChannelGraph(keras.Model(i, head(x))).groups)): 4})


@pytest.mark.parametrize("groups", [2, 4])
def test_grouped_convolutions_in_a_row(groups):
    i = image()
    x = conv(8, "b", groups=groups)(conv(8, "a")(i))
    x = conv(16, "c", groups=groups)(kl.ReLU()(x))
    check(keras.Model(i, head(x)), {"a": 8 // groups, "b": 8 // groups, "c": 16 // groups})


def test_flatten_lays_channels_out_last_also_where_the_data_has_them_first():
    i = keras.Input((3, 2, 2))
    x = kl.Conv2D(4, 1, data_format="channels_first", name="a")(i)
    x = kl.Flatten(data_format="channels_first")(x)
    graph = ChannelGraph(keras.Model(i, kl.Dense(3)(x)))
    (kernel,) = graph.groups["a"].by_role(Role.CONSUMER)
    assert kernel.owner.tolist() == [0, 1, 2, 3] * 4


def test_permute_then_flatten_lays_channels_out_first():
    i = image(size=2)
    x = kl.Flatten()(kl.Permute((3, 1, 2))(kl.Conv2D(3, 1, name="a")(i)))
    graph = ChannelGraph(keras.Model(i, kl.Dense(3)(x)))
    (kernel,) = graph.groups["a"].by_role(Role.CONSUMER)
    assert kernel.owner.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert_invariant(randomise(graph.model), half_plan(graph))


def test_a_subclass_that_only_builds_and_describes_is_its_parent():
    class Described(kl.Dense):
        def build(self, shape):
            super().build(shape)

        def get_config(self):
            return super().get_config()

    class Hidden(kl.Dense):
        @property
        def kernel(self):
            return super().kernel * 2

    assert rule_for(Described(3)) is rule_for(kl.Dense(3))
    i = keras.Input((3,))
    graph = ChannelGraph(keras.Model(i, kl.Dense(2)(Hidden(4)(kl.Dense(5)(i)))))
    assert not graph.groups
    assert graph.barriers[0].reason.startswith("Hidden overrides Dense.kernel")


def test_a_rule_of_its_own_wins_over_the_parents():
    class Own(kl.Dense):
        def call(self, x):
            return super().call(x)

    try:
        rule = register(Own)(type("OwnRule", (base.Rule,), {}))
        assert isinstance(rule_for(Own(3)), rule)
    finally:
        base._LAYERS.pop(Own)


MACS = [
    (lambda x: kl.Conv2D(4, 3, strides=2, padding="same", name="x")(x), 3 * 3 * 8 * 4 * 9),
    (lambda x: kl.Conv2D(4, 3, groups=2, name="x")(x), 3 * 3 * 4 * 4 * 16),
    (lambda x: kl.Conv2DTranspose(4, 2, strides=2, name="x")(x), 2 * 2 * 8 * 4 * 36),
    (lambda x: kl.DepthwiseConv2D(3, depth_multiplier=2, name="x")(x), 3 * 3 * 8 * 2 * 16),
    (lambda x: kl.SeparableConv2D(4, 3, name="x")(x), (3 * 3 * 8 + 8 * 4) * 16),
    (lambda x: kl.Dense(4, name="x")(x), 8 * 4 * 36),
    (lambda x: kl.Dense(4, name="x")(kl.Flatten()(x)), 8 * 36 * 4),
    (lambda x: kl.ReLU(name="x")(x), 0),
]


@pytest.mark.parametrize(("make", "macs"), MACS)
def test_macs_of_one_example(make, macs):
    i = image(8)
    graph = ChannelGraph(keras.Model(i, make(i)))
    (call,) = [call for call in graph.trace.calls if call.name == "x"]
    assert rule_for(call.operation).macs(call) == macs


@pytest.mark.parametrize("wrong", [3, kl.Dense(3), dict])
def test_only_layer_classes_and_names_can_have_a_rule(wrong):
    with pytest.raises(ConfigError, match="layer classes and names of ops. Received"):
        register(wrong)


@pytest.mark.parametrize("wrong", [dict, lambda call: None])
def test_a_rule_is_a_subclass_of_rule(wrong):
    with pytest.raises(ConfigError, match="Expected a subclass of keras_prune.graph.Rule"):
        register("NoSuchOp")(wrong)
