"""A state that goes to disk and comes back."""

import json

import keras
import numpy as np
import pytest

from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from keras_prune.methods.state import Pruned, RunState, Saved
from keras_prune.plan import PruningPlan
from keras_prune.surgery import prune
from keras_prune.utils.generations import Generations

from .tiny import assert_same_weights, network

layers = keras.layers

IDENTITY = {"method": "ranking", "model": "abc", "train data": "x", "configuration": "{}"}


@pytest.fixture(scope="module")
def original():
    return network()


def pruned(model, kept, seed=0):
    """A part of a network, whose weights and random seeds are no longer the original's."""
    plan = PruningPlan.for_graph(ChannelGraph(model), kept)
    small = prune(model, plan)
    random = np.random.default_rng(seed)
    for variable in small.variables:
        if variable.dtype == "float32":
            variable.assign(random.normal(size=variable.shape))
    small(np.ones((2, *model.input_shape[1:]), "float32"), training=True)
    return Pruned(small, plan, 12.5)


@pytest.fixture(scope="module")
def state(original):
    return RunState(
        pruned(original, {"first": (0, 2, 5), "hidden": (1,)}),
        baseline=91.25,
        step=3,
        history=({"step": 1, "value": 0.1, "none": None}, {"step": 2, "value": np.float64(0.2)}),
        notes=("one", "two"),
        untouched={"second": "why"},
        extra={"random": {"state": 2**127 + 1}, "list": [1.5, [2]]},
        arrays={"agent/weights": [np.arange(11.0), np.ones((2, 3), "float32")], "other": []},
        networks={"best": pruned(original, {"second": (3, 4)}, 1), "whole": _whole(original)},
        trainings=4,
        stages={"recover": 2},
        epochs=({"stage": "recover", "epoch": 1, "loss": 0.1 + 0.2},),
        seconds=1.5,
        resumed=1,
    )


def _whole(model):
    return Pruned(model, PruningPlan.for_graph(ChannelGraph(model), {}), 91.25)


def saved(folder, **changes):
    return Saved(folder, IDENTITY | changes)


def test_all_of_it_comes_back(state, original, tmp_path):
    saved(tmp_path).save(state, original)
    found = saved(tmp_path).load(original)
    special = ("now", "arrays", "networks")
    for name in vars(state).keys() - set(special):
        assert getattr(found, name) == getattr(state, name), name
    for ours, theirs in zip(
        found.arrays["agent/weights"], state.arrays["agent/weights"], strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype
    assert found.networks.keys() == state.networks.keys()
    assert found.networks["whole"].model is original
    assert_same_network(found.networks["best"], state.networks["best"])
    assert_same_network(found.now, state.now)


def assert_same_network(found, expected):
    assert (found.plan, found.value) == (expected.plan, expected.value)
    assert_same_weights(found.model, expected.model)
    image = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype("float32")
    drawn = [each.model(image, training=True).numpy() for each in (found, expected)]
    np.testing.assert_array_equal(*drawn)  # dropout goes on from the same seeds


def test_the_restored_network_draws_on_and_not_anew(state, original, tmp_path):
    """Without its seeds a rebuilt dropout would begin where the original stands."""
    saved(tmp_path).save(state, original)
    found = saved(tmp_path).load(original)
    seed = found.model.get_layer("first_dropout").seed_generator.state
    assert seed.numpy().tolist() != (
        original.get_layer("first_dropout").seed_generator.state.numpy().tolist()
    )


class Scaled(keras.Model):
    """A nested model with a variable of its own."""

    def __init__(self, **options):
        super().__init__(**options)
        self.inner = layers.Dense(5, name="inner")

    def get_config(self):
        return {"name": self.name}

    def build(self, shape):
        self.inner.build(shape)
        self.factor = self.add_weight(shape=(), initializer="ones", name="factor")

    def call(self, inputs):
        return self.inner(inputs) * self.factor


def test_nested_networks_keep_all_their_variables(tmp_path):
    image = keras.Input((4, 4, 3))
    x = layers.Conv2D(6, 3, padding="same", name="conv")(image)
    inner = keras.Input((4, 4, 6))
    x = keras.Model(inner, layers.Dropout(0.5)(layers.Conv2D(4, 1, name="conv")(inner)))(x)
    x = Scaled(name="scaled")(layers.Flatten()(x))
    model = keras.Model(image, layers.Dense(2, name="logits")(x))
    given = pruned(model, {"conv": (0, 1, 4)})
    saved(tmp_path).save(RunState(given), model)
    assert_same_weights(saved(tmp_path).load(model).model, given.model)


def test_a_step_without_pruning_keeps_its_weights(original, tmp_path):
    """A copy that was trained is not the original, though nothing left."""
    trained = pruned(original, {})
    saved(tmp_path).save(RunState(trained), original)
    assert_same_weights(saved(tmp_path).load(original).model, trained.model)


@pytest.mark.parametrize("name", list(IDENTITY))
def test_a_run_of_something_else_is_refused_and_says_what(state, original, tmp_path, name):
    saved(tmp_path).save(state, original)
    with pytest.raises(ConfigError, match=f"begun with another {name}: .* Received: 0815") as told:
        saved(tmp_path, **{name: "0815"}).load(original)
    assert "\n" not in str(told.value)


def newest(folder):
    return max(path for path in folder.iterdir() if path.name.isdigit())


def test_a_state_of_another_version_is_refused(original, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("keras_prune.methods.state.SCHEMA", 0)
        saved(tmp_path).save(RunState(_whole(original)), original)
    with pytest.raises(ConfigError, match="has the form 0 of another version .* reads 1"):
        saved(tmp_path).load(original)


@pytest.mark.parametrize("name", ["state.json", "arrays.npz", "manifest.json"])
def test_a_damaged_newest_state_falls_back_to_the_one_before(original, tmp_path, name):
    for step in (1, 2, 3):
        saved(tmp_path).save(RunState(_whole(original), step=step), original)
    content = (newest(tmp_path) / name).read_bytes()
    (newest(tmp_path) / name).write_bytes(content[:-5])
    found = saved(tmp_path).load(original)
    assert found.step == 2
    assert found.notes == (
        "The newest saved state was damaged: the run went on from the one before.",
    )


def test_without_a_whole_state_the_run_is_refused(original, tmp_path):
    assert saved(tmp_path / "none").load(original) is None
    for step in (1, 2):
        saved(tmp_path).save(RunState(_whole(original), step=step), original)
    for path in tmp_path.iterdir():
        (path / "state.json").write_text(json.dumps({}))
    with pytest.raises(ConfigError, match=r"All saved states in .* are damaged\. Remove") as told:
        saved(tmp_path).load(original)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 10**5, "it is nested too deeply"),
        ("9" * 6000, "4300"),
        ("[]", "get"),
        ('{"schema": 1}', "identity"),
        (None, "is none of a run"),
    ],
)
def test_a_whole_file_that_is_no_state_is_refused_in_one_line(content, message, original, tmp_path):
    def write(place):
        (place / "state.json").write_text(content or json.dumps(known))
        np.savez(place / "arrays.npz", a=np.array([print], dtype=object))

    saved(tmp_path).save(RunState(_whole(original)), original)
    known = json.loads((newest(tmp_path) / "state.json").read_text())
    Generations(tmp_path).save(write)
    with pytest.raises(ConfigError, match=message) as told:
        saved(tmp_path).load(original)
    assert str(newest(tmp_path)) in str(told.value) and "\n" not in str(told.value)


def test_what_is_no_plain_data_is_refused_and_the_state_before_stays(original, tmp_path):
    saved(tmp_path).save(RunState(_whole(original), step=1), original)
    with pytest.raises(TypeError, match="object is no plain data"):
        saved(tmp_path).save(RunState(_whole(original), extra={"a": object()}), original)
    assert saved(tmp_path).load(original).step == 1


def test_it_can_be_cleared(original, tmp_path):
    kept = saved(tmp_path / "state")
    kept.save(RunState(_whole(original)), original)
    kept.clear()
    assert kept.load(original) is None
