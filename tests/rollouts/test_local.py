"""The value of a mask is that of the silenced, and of the pruned, network."""

import keras
import numpy as np
import pytest

from keras_prune import Task
from keras_prune.errors import ConfigError, ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.rollouts import LocalEvaluator
from keras_prune.surgery import prune
from tests.methods.filter_agent.small import residual_network

from .examples import IMAGES, answers, classes, mask_of, masks_of, regression_network, two_by_two


@pytest.fixture(scope="module")
def graph():
    return ChannelGraph(residual_network(seed=0))


def local(graph, labels, name="stem", precision="float32"):
    task = classes(graph.model, labels)
    return LocalEvaluator(graph, [graph.groups[name]], task, (IMAGES, labels, None), precision)


@pytest.mark.parametrize(
    ("name", "behind"),
    [("stem", ["second_norm"]), ("inner", ["second_norm"]), ("nested_conv", []), ("hidden", [])],
)
def test_a_mask_is_worth_what_the_pruned_network_is(graph, name, behind):
    mask = mask_of(graph, name)
    small = prune(graph.model, PruningPlan.from_masks(graph, {name: mask}))
    found = local(graph, answers(small, behind), name).evaluate(np.stack([mask, mask * 0 + 1]))
    assert found.dtype == np.float64
    assert found[0] == 100 > found[1]


def test_masks_on_all_groups_are_worth_what_the_pruned_network_is(graph):
    masks = {name: mask_of(graph, name, seed) for seed, name in enumerate(graph.groups)}
    labels = answers(prune(graph.model, PruningPlan.from_masks(graph, masks)), ["second_norm"])
    task = classes(graph.model, labels)
    evaluator = LocalEvaluator(graph, list(graph.groups.values()), task, (IMAGES, labels, None))
    whole = np.concatenate(list(masks.values()))
    assert evaluator.evaluate(whole).tolist() == [100]
    assert evaluator.evaluate(np.ones_like(whole))[0] < 100


def pruned_by(graph, mask):
    ends = np.cumsum([group.channels for group in graph.groups.values()])[:-1]
    masks = dict(zip(graph.groups, np.split(mask, ends), strict=True))
    return prune(graph.model, PruningPlan.from_masks(graph, masks))


def assert_worth_what_is_pruned(graph, task):
    """The evaluator's values against Keras' own evaluation of pruned networks."""
    masks = masks_of(graph, 2)
    groups = list(graph.groups.values())
    found = LocalEvaluator(graph, groups, task, task.examples("validation")).evaluate(masks)
    expected = [task.value(pruned_by(graph, mask)) for mask in masks]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found[0] != found[1]


@pytest.mark.parametrize("objective", ["mean_absolute_error", "loss"])
def test_a_regression_is_measured_by_its_own_metric(objective, monkeypatch):
    monkeypatch.setattr("keras_prune.rollouts.local._BATCH", 17)  # batches of 14, 14 and 12
    model = regression_network()
    data = IMAGES, IMAGES.sum(axis=(1, 2, 3))[:, None]
    task = Task(
        data, validation=data, loss="mse", metrics=["mean_absolute_error"], objective=objective
    )
    assert_worth_what_is_pruned(ChannelGraph(model), task.bind(model))


@pytest.mark.parametrize("objective", ["loss", ("weighted", "min")])
def test_sample_weights_count(objective):
    model = regression_network()
    weighted = [keras.metrics.MeanSquaredError(name="weighted")]
    model.compile(loss="mae", weighted_metrics=weighted)
    given = IMAGES, IMAGES.sum(axis=(1, 2, 3))[:, None]
    weights = np.arange(len(IMAGES), dtype="float32")
    values = []
    for data in ((*given, weights), given):
        task = Task(given, validation=data, objective=objective).bind(model)
        assert_worth_what_is_pruned(ChannelGraph(model), task)
        values.append(task.value(model))
    assert values[0] != pytest.approx(values[1])


@pytest.mark.parametrize(
    ("named", "objective"),
    [
        pytest.param(False, "kind_accuracy", marks=pytest.mark.slow),
        (True, "number_mae"),
        pytest.param(False, "loss", marks=pytest.mark.slow),
    ],
)
def test_several_inputs_and_outputs(named, objective):
    model = two_by_two()
    random = np.random.default_rng(1)
    x = random.normal(size=(40, 4)).astype("float32"), IMAGES
    y = random.normal(size=(40, 1)).astype("float32"), random.integers(0, 3, 40)
    loss, metrics = ["mse", "sparse_categorical_crossentropy"], [["mae"], ["accuracy"]]
    if named:
        x = dict(zip(("images", "numbers"), reversed(x), strict=True))
        y, loss, metrics = (
            dict(zip(("number", "kind"), each, strict=True)) for each in (y, loss, metrics)
        )
    task = Task((x, y), validation=(x, y), loss=loss, metrics=metrics, objective=objective)
    assert_worth_what_is_pruned(ChannelGraph(model), task.bind(model))


def test_many_masks_and_batches_of_two_sizes_are_one_trace(graph, monkeypatch):
    monkeypatch.setattr("keras_prune.rollouts.local._BATCH", 17)
    evaluator = local(graph, answers(graph.model))
    evaluator.evaluate(np.stack([mask_of(graph, "stem", seed) for seed in range(4)]))
    assert evaluator.update.experimental_get_tracing_count() == 1


def test_no_value_depends_on_the_masks_before(graph):
    evaluator = local(graph, answers(graph.model))
    masks = np.stack([mask_of(graph, "stem", seed) for seed in range(3)])
    found = evaluator.evaluate(masks)
    np.testing.assert_array_equal(evaluator.evaluate(masks[::-1]), found[::-1])
    assert len(set(found)) > 1


def test_the_network_is_left_as_it_was(graph):
    before = graph.model.get_weights()
    local(graph, answers(graph.model)).evaluate(mask_of(graph, "stem"))
    for old, now in zip(before, graph.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)
    assert not graph.model.compiled


def test_bfloat16_agrees_roughly_and_leaves_the_precision_alone(graph):
    evaluator = local(graph, answers(graph.model), precision="mixed_bfloat16")
    assert evaluator.evaluate(np.ones(graph.groups["stem"].channels))[0] > 80
    assert {layer.dtype_policy.name for layer in graph.model.layers} == {"float32"}


def test_a_graph_that_admits_norms_is_refused():
    image = keras.Input((8, 8, 3))
    x = keras.layers.LayerNormalization(name="norm")(keras.layers.Conv2D(4, 3, name="a")(image))
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x)))
    admitted = ChannelGraph(model, admit_norms=True)
    with pytest.raises(ModelError, match="'norm' may lose channels"):
        local(admitted, np.zeros(len(IMAGES), int), "a")


def test_an_objective_that_is_not_measured_is_refused(graph):
    labels = np.zeros(len(IMAGES), int)
    task = classes(graph.model, labels, objective=("dice", "max"))
    evaluator = LocalEvaluator(graph, [graph.groups["stem"]], task, (IMAGES, labels, None))
    with pytest.raises(ConfigError, match="'dice' is none of the figures there are: accuracy, lo"):
        evaluator.evaluate(np.ones(graph.groups["stem"].channels))
