"""What is read, on every network: against the gradient of the mask that silences channels."""

import keras
import numpy as np
import pytest

from keras_prune.criteria import L1, Activation, Taylor
from keras_prune.criteria.reading import Reader
from keras_prune.graph import ChannelGraph
from keras_prune.silencing import masked_weights
from tests.criteria.nets import squares
from tests.invariant import assert_same, example, outputs, randomise
from tests.networks import NETWORKS

GROUPED = [name for name, net in NETWORKS.items() if net.groups]
RUNNING = [name for name in GROUPED if NETWORKS[name].runs]
SAMPLE = [
    "chain", "residual", "concat_twice_the_same", "halves", "grouped", "layers_called_twice",
    "nested_called_twice", "siamese", "several_inputs_and_outputs", "time_in_front",
    "rows_folded_into_the_batch", "repeated_unequally", "embedded_twice",
]  # fmt: skip


def built(name):
    model = randomise(NETWORKS[name].build())
    return model, ChannelGraph(model)


@pytest.mark.parametrize("name", GROUPED)
def test_weights_of_every_network(name):
    _, graph = built(name)
    found = L1()(graph)
    assert {group: len(scores) for group, scores in found.items()} == dict(NETWORKS[name].groups)
    assert all((scores > 0).all() for scores in found.values())


def gradient_of_the_mask(graph, group, x):
    """By how much the loss of one example changes with the mask of a group, to first order."""
    import tensorflow as tf

    mask = tf.Variable(np.ones(group.channels, "float32"))
    with tf.GradientTape() as tape, keras.StatelessScope(masked_weights(group, mask)):
        loss = squares(np.zeros(1), graph.model(x, training=False))
    gradient = tape.gradient(loss, mask, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return np.abs(tf.convert_to_tensor(gradient))


def check_data_criteria(name):
    model, graph = built(name)
    x = example(model, batch=1)
    found, reads = Reader(graph)(keras.tree.flatten(x))
    assert_same([np.asarray(y) for y in keras.tree.flatten(found)], outputs(model, x))
    scores = Taylor(loss=squares)(graph, (x, np.zeros(1)))
    read = {group for each in reads for group in each.owners}
    for group_name, group in graph.groups.items():
        expected = gradient_of_the_mask(graph, group, x)
        assert (expected > 0).any() == (group_name in read)
        scale = expected.max() / max(scores[group_name].max(), 1e-12)
        np.testing.assert_allclose(
            scores[group_name] * scale, expected, rtol=1e-3, atol=1e-4 * expected.max()
        )


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", SAMPLE)
def test_taylor_is_the_gradient_of_the_mask(name):
    check_data_criteria(name)


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize("name", sorted({*RUNNING} - {*SAMPLE}))
def test_taylor_is_the_gradient_of_the_mask_on_every_network(name):
    check_data_criteria(name)


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize("name", RUNNING)
def test_activations_of_every_network(name):
    model, graph = built(name)
    found = Activation()(graph, (example(model), None))
    assert {group: len(scores) for group, scores in found.items()} == dict(NETWORKS[name].groups)
