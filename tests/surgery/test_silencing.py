"""The twin: the original's shapes, and the dropped channels read by nobody."""

import keras
import numpy as np
import pytest

from keras_prune.errors import PlanError
from keras_prune.graph import ChannelGraph, Role
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from keras_prune.surgery.silencing import masked_weights, silence
from tests.networks import NETWORKS
from tests.surgery.invariant import assert_same, differ, example, half_plan, outputs, randomise


def test_only_consumers_change_and_only_at_what_is_dropped():
    model = randomise(NETWORKS["chain"].build())
    graph = ChannelGraph(model)
    plan = PruningPlan.for_graph(graph, {"a": (1, 2, 5)})
    twin = silence(model, plan)
    (reader,) = graph.groups["a"].by_role(Role.CONSUMER)
    for old, new in zip(model.weights, twin.weights, strict=True):
        expected = keras.ops.convert_to_numpy(old).copy()
        if old is reader.binding.variable:
            expected[:, :, [0, 3, 4, 6, 7]] = 0
            assert (expected != keras.ops.convert_to_numpy(old)).any()
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(new), expected)


def test_the_model_is_not_touched():
    model = randomise(NETWORKS["nested_called_twice"].build())
    before = model.get_weights()
    twin = silence(model, half_plan(ChannelGraph(model)))
    assert twin is not model and not {id(w) for w in twin.weights} & {id(w) for w in model.weights}
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_plan_for_another_model_is_refused():
    plan = half_plan(ChannelGraph(NETWORKS["chain"].build()))
    with pytest.raises(PlanError, match="Unknown group"):
        silence(NETWORKS["residual"].build(), plan)


@pytest.mark.parametrize("name", ["residual", "grouped", "concat_twice_the_same", "generator"])
def test_masks_in_a_stateless_scope_are_the_twin(name):
    model = randomise(NETWORKS[name].build())
    graph, x = ChannelGraph(model), example(model)
    plan = half_plan(graph)
    for group in plan.kept:
        mask = np.zeros(plan.channels[group], "float32")
        mask[list(plan.kept[group])] = 1
        pairs = masked_weights([graph.groups[group]], [keras.ops.array(mask)])
        assert len({id(variable) for variable, _ in pairs}) == len(pairs)
        with keras.StatelessScope(pairs):
            masked = outputs(model, x)
        one = PruningPlan.for_graph(graph, {group: plan.kept[group]})
        assert_same(masked, outputs(prune(model, one), x))
        assert differ(masked, outputs(model, x))


def test_a_full_mask_changes_nothing():
    model = randomise(NETWORKS["residual"].build())
    group = ChannelGraph(model).groups["stem"]
    for variable, value in masked_weights([group], [keras.ops.ones((group.channels,))]):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), np.array(value))
