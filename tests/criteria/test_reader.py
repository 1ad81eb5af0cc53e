"""What is read, on every network: against the gradient of the mask that silences channels."""

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from keras_prune.criteria import L1, Activation, Taylor
from keras_prune.criteria.reader import Reader
from keras_prune.graph import ChannelGraph
from keras_prune.surgery.silencing import masked_weights
from tests.criteria.nets import squares
from tests.networks import NETWORKS, sampled
from tests.surgery.invariant import assert_same, example, outputs, randomise

GROUPED = [name for name, net in NETWORKS.items() if net.groups]
# Where all axes of length 1 are squeezed, TensorFlow compiles nothing for a batch of any size.
# A model at each of any number of steps Keras computes otherwise there than step by step.
WRONG = {"axes_of_length_one", "a_model_at_each_of_any_number_of_steps"}
RUNNING = [name for name in GROUPED if NETWORKS[name].runs and name not in WRONG]
SAMPLE = [
    "chain", "residual", "concat_twice_the_same", "halves", "grouped", "layers_called_twice",
    "nested_called_twice", "siamese", "several_inputs_and_outputs", "time_in_front",
    "rows_folded_into_the_batch", "repeated_unequally", "embedded_twice",
]  # fmt: skip


def built(name):
    model = randomise(NETWORKS[name].build())
    return model, ChannelGraph(model)


@pytest.mark.parametrize("name", [p for p in sampled() if p.values[0] in GROUPED])
def test_weights_of_every_network(name):
    _, graph = built(name)
    found = L1()(graph)
    assert {group: len(scores) for group, scores in found.items()} == dict(NETWORKS[name].groups)
    assert all((scores > 0).all() for scores in found.values())


def gradient_of_the_mask(graph, group, x):
    """By how much the loss of one example changes with the mask of a group, to first order."""
    import tensorflow as tf

    mask = tf.Variable(np.ones(group.channels, "float32"))
    with tf.GradientTape() as tape, keras.StatelessScope(masked_weights([group], [mask])):
        loss = squares(np.zeros(1), graph.model(x, training=False))
    gradient = tape.gradient(loss, mask, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return np.abs(tf.convert_to_tensor(gradient))


def check_taylor(graph, x, examples):
    """Against the gradients of the mask for each example alone, up to a factor for a group."""
    found, reads = Reader(graph)(keras.tree.flatten(x))
    assert_same([np.asarray(y) for y in keras.tree.flatten(found)], outputs(graph.model, x))
    scores = Taylor(loss=squares)(graph, (x, np.zeros(examples)))
    read = {group for each in reads for group in each.owners}
    alone = [keras.tree.map_structure(lambda v, n=n: v[n : n + 1], x) for n in range(examples)]
    for name, group in graph.groups.items():
        expected = np.mean([gradient_of_the_mask(graph, group, each) for each in alone], axis=0)
        assert (expected > 0).any() == (name in read)
        scale = expected.max() / max(scores[name].max(), 1e-12)
        atol = 1e-4 * expected.max()
        np.testing.assert_allclose(scores[name] * scale, expected, rtol=1e-3, atol=atol)


def check_network(name):
    model, graph = built(name)
    examples = 1 if name == "broadcast_vector" else 2  # it takes one example, or three
    check_taylor(graph, example(model, batch=examples), examples)


@pytest.mark.tensorflow
def test_examples_are_told_apart_where_time_is_in_front():
    i = keras.Input((7, 3))
    x = ops.transpose(kl.Conv1D(8, 3, name="a")(i), (1, 0, 2))
    x = ops.transpose(kl.Dense(5, name="b")(ops.tanh(x)), (1, 0, 2))
    model = randomise(keras.Model(i, kl.Dense(3)(kl.Flatten()(x))))
    check_taylor(ChannelGraph(model), example(model, batch=5), 5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", SAMPLE)
def test_taylor_is_the_gradient_of_the_mask(name):
    check_network(name)


# Networks with layers that read inside what a mask silences, too, or make it zero where it is made.
INSIDE = {
    "additive_attention", "attention_from_one_dense", "behind_a_product_with_a_constant",
    "both_directions", "cells", "films",
    "gated_inside", "recurrent_stack", "scaled_branch", "scored_by_one_column", "states_handed_on",
    "states_of_both_directions", "table_behind_another", "tied_table",
}  # fmt: skip
# Groups that only the layer that makes them reads; criteria of what is read do not score them.
UNREAD = {"scaled_branch": {"branch/hidden"}}


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize("name", sorted({*RUNNING} - {*SAMPLE} - INSIDE))
def test_taylor_is_the_gradient_of_the_mask_on_every_network(name):
    check_network(name)


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize("name", RUNNING)
def test_activations_of_every_network(name):
    model, graph = built(name)
    found = Activation()(graph, (example(model), None))
    unread = UNREAD.get(name, set())
    assert set(Reader(graph).unread()) == unread
    expected = {g: size for g, size in NETWORKS[name].groups.items() if g not in unread}
    assert {group: len(scores) for group, scores in found.items()} == expected
