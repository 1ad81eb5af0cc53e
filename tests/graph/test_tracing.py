"""Models as lists of calls."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph, execute, trace
from tests.networks import NETWORKS
from tests.surgery.invariant import (
    assert_invariant,
    assert_same,
    example,
    half_plan,
    outputs,
    randomise,
)


def test_a_layer_called_twice_makes_two_calls():
    traced = trace(NETWORKS["layers_called_twice"].build())
    names = [call.name for call in traced.calls]
    assert names.count("b") == 2
    assert len({id(call.outputs[0]) for call in traced.calls}) == len(traced.calls)


def test_producers_come_before_consumers():
    traced = trace(NETWORKS["concat"].build())
    known = {id(tensor) for tensor in traced.flat_inputs}
    for call in traced.calls:
        assert known >= {id(tensor) for tensor in call.inputs}
        known |= {id(tensor) for tensor in call.outputs}


def test_a_nested_model_is_one_call():
    traced = trace(NETWORKS["nested"].build())
    (block,) = [call for call in traced.calls if isinstance(call.operation, keras.Model)]
    assert block.name == "block" and len(block.outputs) == 2
    assert "inner" not in [call.name for call in traced.calls]


def test_constants_are_what_is_no_tensor():
    i = keras.Input((3,))
    (call,) = trace(keras.Model(i, i * np.arange(3, dtype="float32"))).calls
    assert [np.size(value) for value in call.constants] == [3]
    assert len(call.inputs) == 1


@pytest.mark.parametrize("name", ["residual", "nested_called_twice", "inputs_and_outputs_by_name"])
def test_executing_the_calls_is_running_the_model(name):
    model = randomise(NETWORKS[name].build())
    traced, x = trace(model), example(model)
    values = dict(zip(map(id, traced.flat_inputs), keras.tree.flatten(x), strict=True))
    given = set(values)
    results = execute(traced.calls, values)
    assert set(values) == given
    assert_same([np.array(results[id(t)]) for t in traced.flat_outputs], outputs(model, x))


class Doubled(keras.Model):
    """Functional by its arguments, and another function by its call."""

    def call(self, x):
        return super().call(x) * 2


def doubled() -> keras.Model:
    i = keras.Input((5,))
    return Doubled(i, kl.Dense(4, name="inner")(i))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: keras.Sequential([kl.Dense(3)], name="early"), "'early' has no graph yet"),
        (lambda: kl.Dense(3), "Expected a Keras model. Received: Dense"),
    ],
)
def test_other_models_are_refused(make, message):
    with pytest.raises(ModelError, match=message) as caught:
        trace(make())
    assert "\n" not in str(caught.value)


def test_a_nested_model_with_a_call_of_its_own_is_opened():
    i = keras.Input((3,))
    model = randomise(keras.Model(i, kl.Dense(2)(doubled()(kl.Dense(5, name="a")(i)))))
    graph = ChannelGraph(model)
    assert "doubled" not in [call.name for call in graph.trace.calls]
    assert set(graph.groups) == {"a", "inner"} and not graph.barriers
    assert_invariant(model, half_plan(graph))
