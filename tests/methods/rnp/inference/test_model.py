"""The model that decides for every image: same as masked, saved, loaded, evaluated, re-balanced."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_prune.errors import ConfigError, ModelError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp.inference.model import BATCHINGS, RuntimePrunedModel
from keras_prune.methods.rnp.network import DecisionNetwork
from keras_prune.runtimes.loading import classifier_shape, load_model
from tests.methods.rnp.inference.nets import SHAPE, chain, decisions_of, pictures, runtime_pruned


@pytest.fixture(scope="module")
def model():
    return runtime_pruned()


@pytest.fixture(autouse=True)
def balanced(model):
    model.balance = 0.0


def assert_same(found, expected):
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("batching", BATCHINGS)
@pytest.mark.parametrize("count", [1, 2, 16])
def test_images_get_what_the_masked_network_gives_them(model, batching, count):
    model.batching = batching
    images = pictures(count)
    assert_same(model.decide(images), model.masked(images))


def test_the_agent_of_these_tests_tells_images_apart(model):
    _, actions = model.decide(pictures(16))
    assert len(np.unique(actions, axis=0)) > 1


def test_one_image_and_many_agree(model):
    images = pictures(6)
    alone = [model.decide(images[n : n + 1]) for n in range(6)]
    assert_same([np.concatenate(side) for side in zip(*alone, strict=True)], model.decide(images))


def test_one_image_is_computed_by_slices():
    graph = runtime_pruned()._decided.get_concrete_function(tf.zeros((1, *SHAPE))).graph
    kernels = [op.inputs[1].shape for op in graph.get_operations() if op.type == "Conv2D"]
    assert len(kernels) == 4 and sum(None in shape for shape in kernels) >= 3


def test_predict_and_evaluate(model):
    images = pictures(7)
    expected, _ = model.masked(images)
    np.testing.assert_allclose(model.predict(images, 3, verbose=0), expected, atol=1e-5)
    np.testing.assert_allclose(model(images), expected, atol=1e-5)
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    labels = np.argmax(expected, axis=1)
    assert model.evaluate(images, labels, 3, verbose=0)[-1] == 1.0


def test_the_balance_needs_no_new_trace(model):
    images, sets = pictures(4), model.sets
    model.decide(images)
    traces = model._decided.experimental_get_tracing_count()
    model.balance = -1e9
    assert np.all(model.decide(images)[1].numpy() == 0)
    model.balance = 1e9
    assert np.all(model.decide(images)[1].numpy() == sets - 1)
    np.testing.assert_allclose(model.decide(images)[0], model.backbone(images), atol=1e-5)
    assert model._decided.experimental_get_tracing_count() == traces


def test_more_balance_never_computes_less_on_average(model):
    images = pictures(32)
    means = []
    for model.balance in (-0.2, -0.05, 0.0, 0.05, 0.2):
        means.append(model.decide(images)[1].numpy().mean())
    assert means == sorted(means) and means[0] < means[-1]


def test_one_trace_for_every_number_of_images():
    model = runtime_pruned()
    for count in (1, 1, 4, 4, 1, 7, 9, 4, 30):
        model.decide(pictures(count))
    assert model._decided.experimental_get_tracing_count() <= 3  # one, four, any


@pytest.mark.slow
@pytest.mark.parametrize("batching", BATCHINGS)
def test_saved_and_loaded(model, batching, tmp_path):
    model.balance, model.batching = -0.03, batching
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    assert (loaded.balance, loaded.batching) == (pytest.approx(-0.03), batching)
    assert_same(loaded.decide(pictures(5)), model.decide(pictures(5)))


@pytest.mark.slow
def test_loading_finds_the_class_by_itself(model, tmp_path, elsewhere):
    model.save(tmp_path / "m.keras")
    assert elsewhere(
        "from keras_prune.runtimes.loading import load_model\n"
        f"print(type(load_model({str(tmp_path / 'm.keras')!r})).__name__)"
    ).endswith("RuntimePrunedModel")


def test_a_file_of_the_first_version_computes_the_same():
    folder = Path(__file__).parents[3] / "files" / "v0_1"
    with np.load(folder / "outputs.npz") as kept:
        images, expected = kept["images"], kept["runtime_pruned"]
    loaded = load_model(folder / "runtime_pruned.keras")
    np.testing.assert_allclose(loaded.predict(images, verbose=0), expected, atol=1e-6)


def test_it_is_a_classifier_of_images(model):
    assert classifier_shape("m.keras", model) == (SHAPE, 5)


@pytest.mark.slow
def test_keras_own_export(model, tmp_path):
    model.export(tmp_path / "m", verbose=False)
    served = tf.saved_model.load(tmp_path / "m")
    for count in (1, 5):
        expected, _ = model.masked(pictures(count))
        np.testing.assert_allclose(served.serve(pictures(count)), expected, atol=1e-5)


def test_the_faster_batching_is_chosen(model, monkeypatch):
    home = "keras_prune.methods.rnp.inference.model.interleaved"
    for slow, name in enumerate(reversed(BATCHINGS)):
        seconds = [np.full(5, 1.0 + (number == slow)) for number in range(2)]
        monkeypatch.setattr(home, lambda calls, turns, seconds=seconds: seconds)
        assert model.choose_batching(pictures(4)) == model.batching == name


def test_both_batchings_are_timed(model):
    assert model.choose_batching(pictures(2), turns=1) in BATCHINGS


def test_predict_follows_the_batching(model):
    model.batching = "map"
    model.predict(pictures(2), verbose=0)
    model.batching = "buckets"
    assert model.predict_function is None


def test_an_unknown_batching(model):
    with pytest.raises(ConfigError, match="Unknown batching 'bucket'. Did you mean 'buckets'"):
        model.batching = "bucket"


def test_more_sets_than_channels():
    network = DecisionNetwork([8], actions=40)
    with pytest.raises(ConfigError, match="Expected from 2 to"):
        RuntimePrunedModel(chain(0), network, sets=40)


def test_a_decision_network_for_another_backbone():
    with pytest.raises(ModelError, match=r"expected .*actions=3. Received: channels=\[4"):
        RuntimePrunedModel(chain(0), DecisionNetwork([4], actions=3), sets=3)


def test_images_of_open_size():
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3)(keras.layers.Conv2D(4, 3)(inputs))
    x = keras.layers.GlobalAveragePooling2D()(x)
    backbone = keras.Model(inputs, keras.layers.Dense(2)(x))
    with pytest.raises(ModelError, match="fixed size"):
        RuntimePrunedModel(backbone, DecisionNetwork([4], actions=2), sets=2)


def test_a_network_without_a_convolution_to_decide_about():
    backbone = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(2)])
    with pytest.raises(ModelError, match="no convolution to decide about"):
        RuntimePrunedModel(backbone, DecisionNetwork([4], actions=2), sets=2)


def test_its_decisions_are_those_of_the_backbone(model):
    states = [step.state for step in decisions_of(model.backbone).steps]
    assert model.network.channels == states


def test_it_has_no_graph_of_its_own(model):
    with pytest.raises(ModelError, match="Give its backbone, model.backbone"):
        ChannelGraph(model)
    assert ChannelGraph(model.backbone).groups
