"""Residual blocks are found from the graph, and leave exactly."""

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from keras_prune.errors import PlanError
from keras_prune.graph import ChannelGraph, CutCosts
from keras_prune.graph.blocks import left_with
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from tests.networks import conv, head, image
from tests.surgery.invariant import assert_invariant, half_plan, randomise


def with_branch(branch, join=None):
    """A stem, one branch beside it, and a layer that reads the sum."""
    i = image()
    x = kl.ReLU()(conv(8, "stem")(i))
    x = (join or kl.Add(name="sum"))([x, branch(x)])
    return keras.Model(i, head(conv(6, "late")(x)))


def normed(x):
    x = kl.ReLU()(kl.BatchNormalization(name="norm")(conv(5, "inside")(x)))
    return kl.BatchNormalization(name="last_norm")(conv(8, "last")(x))


def gated(x):
    gate = kl.Dense(8, activation="sigmoid", name="gate")(kl.GlobalAveragePooling2D()(x))
    return conv(8, "last")(x) * kl.Reshape((1, 1, 8))(gate)


def nested(x):
    inside = [kl.Dense(5, activation="gelu", name="inside"), kl.Dense(8, name="last")]
    return keras.Sequential([keras.Input((6, 6, 8)), *inside], name="mlp")(x)


def attending(x):
    rows = kl.Reshape((36, 8))(x)
    return kl.Reshape((6, 6, 8))(kl.MultiHeadAttention(2, 3, name="last")(rows, rows))


def with_a_constant_input(x):
    """What the branch alone needs leaves with it, also where it does not come from the tensor."""
    return conv(8, "last")(x * ops.ones((1, 1, 1, 8)))


BRANCHES = {
    "normed": (normed, {"norm", "inside", "last", "last_norm"}),
    "gated": (gated, {"gate", "last"}),
    "nested": (nested, {"mlp"}),
    "attending": (attending, {"last"}),
    "with a constant": (with_a_constant_input, {"last"}),
    "behind a ReLU": (lambda x: kl.ReLU()(conv(8, "last")(x)), {"last"}),
}
NAMES = {"normed": "last_norm:branch", "nested": "mlp/last:branch"}
JOINS = {
    "layer": None,
    "op": lambda pair: ops.add(*pair),
    "operator, the branch first": lambda pair: pair[1] + pair[0],
}


@pytest.mark.parametrize("name", BRANCHES)
def test_a_block_leaves_exactly(name, tmp_path):
    branch, layers = BRANCHES[name]
    model = randomise(with_branch(branch))
    graph = ChannelGraph(model)
    assert list(graph.blocks) == [NAMES.get(name, "last:branch")]
    plan = PruningPlan.for_graph(graph, half_plan(graph).kept, list(graph.blocks))
    pruned = assert_invariant(model, plan, tmp_path / "pruned.keras")
    left = {layer.name for layer in model.layers} - {layer.name for layer in pruned.layers}
    assert layers | {"sum"} <= left and {"stem", "late"}.isdisjoint(left)
    masks = {
        name: np.isin(np.arange(graph.groups[name].channels), kept)
        for name, kept in plan.kept.items()
    }
    costs, total = CutCosts(graph, graph.blocks.values()), profile(pruned).total
    assert (costs.parameters(masks), costs.macs(masks)) == (total.parameters, total.macs)


@pytest.mark.parametrize("name", JOINS)
def test_sums_are_layers_and_ops(name):
    model = randomise(with_branch(normed, JOINS[name]))
    [block] = ChannelGraph(model).blocks
    assert_invariant(model, PruningPlan.for_graph(ChannelGraph(model), {}, [block]))


def test_a_block_beside_what_folds_the_batch():
    """There the rebuilt calls are tried, and those that have left are not among them."""
    i = image()
    x = conv(8, "stem")(i)
    x = kl.Add(name="sum")([x, conv(8, "last")(x)])
    x = ops.reshape(kl.Conv1D(5, 3, name="rows")(ops.reshape(x, (-1, 6, 8))), (-1, 6, 4, 5))
    model = randomise(keras.Model(i, head(x)))
    graph = ChannelGraph(model)
    assert_invariant(model, PruningPlan.for_graph(graph, half_plan(graph).kept, list(graph.blocks)))


def projected(x):
    """Two branches: neither of them is a shortcut."""
    return kl.Add()([conv(8, "one")(x), conv(8, "other")(x)])


class Falling(kl.Layer):
    """Without its weight zero for numbers above zero alone."""

    def build(self, shape):
        self.height = self.add_weight((shape[-1],), name="height")

    def call(self, x):
        return ops.relu(self.height - x)


def held_twice():
    """The layer that a wrapper holds runs behind the block, too."""
    i = keras.Input((6,))
    x, layer = kl.Dense(8)(i), kl.Dense(8)
    x = kl.Add()([x, kl.SpectralNormalization(layer)(x)])
    return keras.Model(i, kl.Dense(3)(layer(x)))


def ending():
    """The sum gives the output its name."""
    i = image(8)
    return keras.Model(i, kl.Add(name="sum")([i, conv(8, "last")(i)]))


def needed():
    i = image()
    x = conv(8, "stem")(i)
    y = conv(8, "inside")(x)
    return keras.Model(i, [head(kl.Add()([x, y])), kl.Flatten()(y)])


def shared():
    i = image()
    layer = conv(8, "twice")
    x = conv(8, "stem")(i)
    return keras.Model(i, head(layer(kl.Add()([x, layer(x)]))))


def masked():
    """The sum of an op has no mask: without it, that of the table would go on."""
    i = keras.Input((6,), dtype="int32")
    x = kl.Embedding(5, 8, mask_zero=True)(i)
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(ops.add(x, kl.Dense(8)(x)))))


NONE = {
    "a branch that something else needs": needed,
    "a layer that something else calls": shared,
    "no shortcut": lambda: with_branch(projected, lambda pair: pair[1]),
    "a branch that is never zero": lambda: with_branch(lambda x: kl.Softmax()(conv(8, "last")(x))),
    "a branch that is zero above zero alone": lambda: with_branch(Falling()),
    "a layer that a wrapper holds": held_twice,
    "an output of the model": ending,
    "no weights": lambda: with_branch(kl.ReLU()),
    "another mask": masked,
    "a shortcut that is repeated": lambda: with_branch(conv(8, "w"), lambda p: p[0][:, :1] + p[1]),
}  # fmt: skip


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_block(name):
    assert not ChannelGraph(NONE[name]()).blocks


def test_a_mask_that_goes_through_the_branch():
    i = keras.Input((6,), dtype="int32")
    x = kl.Embedding(5, 8, mask_zero=True)(i)
    x = kl.Add(name="sum")([x, kl.Dense(8)(kl.Dense(4)(x))])
    model = randomise(keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(x))))
    graph = ChannelGraph(model)
    assert_invariant(model, PruningPlan.for_graph(graph, half_plan(graph).kept, list(graph.blocks)))


def stacked():
    """Two blocks, one of them around another, and both in a model that is called twice."""
    i = image(8)
    inner = kl.Add(name="inner")([i, conv(8, "deep")(kl.ReLU()(i))])
    block = keras.Model(i, kl.Add(name="outer")([i, conv(8, "wide")(inner)]), name="block")
    i = image()
    return keras.Model(i, head(block(kl.ReLU()(block(conv(8, "stem")(i))))))


INNER, OUTER = "block/deep:branch", "block/wide:branch"


@pytest.mark.parametrize("blocks", [[INNER], [OUTER], [INNER, OUTER]])
def test_blocks_of_nested_models_have_their_path(blocks):
    model = randomise(stacked())
    graph = ChannelGraph(model)
    assert list(graph.blocks) == [INNER, OUTER]
    plan = PruningPlan.for_graph(graph, {}, blocks)
    pruned = assert_invariant(model, plan)
    total, costs = profile(pruned).total, CutCosts(graph, [graph.blocks[name] for name in blocks])
    assert (costs.parameters({}), costs.macs({})) == (total.parameters, total.macs)


def test_groups_that_leave_with_blocks():
    graph = ChannelGraph(with_branch(normed))
    assert left_with(graph, []) == set()
    assert left_with(graph, list(graph.blocks)) == {"inside"}
    graph = ChannelGraph(with_branch(nested))
    assert left_with(graph, list(graph.blocks)) == {"inside"}


def test_plans_keep_their_blocks(tmp_path):
    graph = ChannelGraph(with_branch(normed))
    plan = PruningPlan.for_graph(graph, {"stem": (0, 1)}, list(graph.blocks))
    plan.save(tmp_path / "plan.json")
    assert PruningPlan.load(tmp_path / "plan.json") == plan
    with pytest.raises(PlanError, match="residual block 'some'"):
        PruningPlan.for_graph(graph, {}, ["some"])
    with pytest.raises(PlanError, match="residual block 'last_norm:branch'"):
        blocks_alone = PruningPlan.for_graph(graph, {}, list(graph.blocks))
        blocks_alone.check(ChannelGraph(with_branch(lambda x: kl.Softmax()(normed(x)))))


def test_plans_compose_as_far_as_their_graphs_are_known():
    graph = ChannelGraph(randomise(stacked()))
    whole, less = PruningPlan.for_graph(graph, {}), PruningPlan.for_graph(graph, {}, [INNER])
    assert whole.then(less).blocks == (INNER,)
    with pytest.raises(PlanError, match="do not compose: with the first block/deep:branch leave"):
        less.then(whole)


def test_what_several_blocks_needed_together_leaves_with_them():
    i = keras.Input((6,))
    x, shared = kl.Dense(8, name="stem")(i), kl.Dense(5, name="shared")(i)
    for number in range(2):
        branch = kl.Dense(8, name=f"last{number}")(kl.Concatenate()([x, shared]))
        x = kl.Add()([x, branch])
    model = randomise(keras.Model(i, kl.Dense(3)(x)))
    graph = ChannelGraph(model)
    for blocks in (["last0:branch"], ["last0:branch", "last1:branch"]):
        pruned = assert_invariant(model, PruningPlan.for_graph(graph, {}, blocks))
        costs = CutCosts(graph, [graph.blocks[name] for name in blocks])
        total = profile(pruned).total
        assert (costs.parameters({}), costs.macs({})) == (total.parameters, total.macs)
        assert ("shared" in left_with(graph, blocks)) == (len(blocks) == 2)
