"""A rollout's accuracy is that of the silenced, and of the pruned, network."""

import keras
import numpy as np
import pytest

from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rollouts import Rollouts
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from tests.methods.filter_agent.small import residual_network

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(40, 8, 8, 3)).astype("float32")


@pytest.fixture(scope="module")
def graph():
    return ChannelGraph(residual_network(seed=0))


def answers(model, behind=()):
    """The classes a model gives, with these BatchNorms using the statistics of these images."""
    copy = keras.models.clone_model(model)  # a call in training mode moves its statistics
    copy.set_weights(model.get_weights())
    for name in {"first_norm", "second_norm"} - set(behind):
        copy.get_layer(name).trainable = False  # then it keeps to its stored ones
    return np.argmax(copy(IMAGES, training=True), axis=-1)


def mask_of(graph, name, seed=0):
    mask = np.random.default_rng(seed).integers(0, 2, graph.groups[name].channels)
    mask[0] = 1
    return mask.astype("float32")


@pytest.mark.parametrize(
    ("name", "behind"),
    [("stem", ["second_norm"]), ("inner", ["second_norm"]), ("nested_conv", []), ("hidden", [])],
)
def test_a_mask_scores_what_the_pruned_network_scores(graph, name, behind):
    mask = mask_of(graph, name)
    small = prune(graph.model, PruningPlan.from_masks(graph, {name: mask}))
    rollouts = Rollouts(graph, [graph.groups[name]], IMAGES, answers(small, behind))
    assert rollouts.accuracy(mask) == 100
    assert rollouts.accuracy(np.ones_like(mask)) < 100


def test_masks_on_all_groups_score_what_the_pruned_network_scores(graph):
    masks = {name: mask_of(graph, name, seed) for seed, name in enumerate(graph.groups)}
    small = prune(graph.model, PruningPlan.from_masks(graph, masks))
    labels = answers(small, ["second_norm"])
    rollouts = Rollouts(graph, list(graph.groups.values()), IMAGES, labels)
    assert rollouts.accuracy(np.concatenate(list(masks.values()))) == 100
    assert rollouts.accuracy(np.ones(sum(map(len, masks.values())))) < 100


def test_many_masks_are_one_trace(graph):
    rollouts = Rollouts(graph, [graph.groups["stem"]], IMAGES, answers(graph.model))
    for seed in range(4):
        rollouts.accuracy(mask_of(graph, "stem", seed))
    assert rollouts.correct.experimental_get_tracing_count() == 1


def test_batches_of_two_sizes_are_one_trace(graph, monkeypatch):
    monkeypatch.setattr("keras_prune.methods.rollouts._BATCH", 17)
    rollouts = Rollouts(graph, [graph.groups["stem"]], IMAGES, answers(graph.model))
    assert rollouts.accuracy(np.ones(graph.groups["stem"].channels)) > 70
    assert rollouts.correct.experimental_get_tracing_count() == 1


def test_the_network_is_left_as_it_was(graph):
    before = [keras.ops.convert_to_numpy(w) for w in graph.model.weights]
    Rollouts(graph, [graph.groups["stem"]], IMAGES, answers(graph.model)).accuracy(
        mask_of(graph, "stem")
    )
    for old, now in zip(before, graph.model.weights, strict=True):
        np.testing.assert_array_equal(old, keras.ops.convert_to_numpy(now))


def test_bfloat16_rollouts_agree_roughly_and_leave_the_precision_alone(graph):
    labels = answers(graph.model)
    rollouts = Rollouts(graph, [graph.groups["stem"]], IMAGES, labels, "mixed_bfloat16")
    assert rollouts.accuracy(np.ones(graph.groups["stem"].channels)) > 80
    assert {layer.dtype_policy.name for layer in graph.model.layers} == {"float32"}


def test_a_graph_that_admits_norms_is_refused():
    i = keras.Input((8, 8, 3))
    x = keras.layers.LayerNormalization(name="norm")(keras.layers.Conv2D(4, 3, name="a")(i))
    model = keras.Model(i, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x)))
    admitted = ChannelGraph(model, admit_norms=True)
    with pytest.raises(ModelError, match="'norm' may lose channels"):
        Rollouts(admitted, [admitted.groups["a"]], IMAGES, np.zeros(len(IMAGES), int))
