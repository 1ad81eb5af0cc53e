"""The method, step by step."""

import keras
import numpy as np
import pytest

from keras_prune.errors import ConfigError, ModelError
from keras_prune.methods.magnitude.selection import kernels
from keras_prune.methods.state import Saved
from keras_prune.surgery import prune
from keras_prune.training import Task

from .small import LAYERS, TRAINING, context, images, left, magnitude, network, task

layers = keras.layers

GLOBAL = {"threshold": "global", "sparsity": 0.9, "steps": 2}


def weights(model: keras.Model) -> list[np.ndarray]:
    return [weight.copy() for weight in model.get_weights()]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def steps_of(method, given):
    """All states, the first one included."""
    states = [method.start(given)]
    while not states[-1].done:
        states.append(method.step(given, states[-1]))
    return states


def test_weights_leave_and_stay_away():
    method, model = magnitude(**GLOBAL), network()
    before = weights(model)
    states = steps_of(method, context(model, task()))
    total = sum(LAYERS.values())
    for state, sparsity in zip(states[1:], [1 - 0.1**0.5, 0.9], strict=True):
        assert abs(sum(left(state.model).values()) - (1 - sparsity) * total) <= 1
        for kernel, mask in zip(kernels(state.model), state.arrays["masks"], strict=True):
            assert not np.asarray(kernel.variable)[~mask].any()
    assert same(before, weights(model))  # the original
    assert [row["step"] for row in states[-1].history] == [1, 2]
    assert [row["sparsity"] for row in states[-1].history] == pytest.approx(
        [1 - 0.1**0.5, 0.9], abs=1e-3
    )
    assert states[-1].history[-1]["retrained_value"] == states[-1].value


@pytest.mark.slow
def test_a_step_is_repeatable_and_changes_nothing_it_was_given():
    method, model = magnitude(**GLOBAL), network()
    given = context(model, task())
    first = method.step(given, method.start(given))
    kept, trainings = weights(first.model), given.ledger.trainings
    once = method.step(given, first)
    assert same(kept, weights(first.model))
    given.ledger.trainings = trainings
    keras.utils.set_random_seed(77)  # another process
    again = method.step(given, first)
    assert same(weights(once.model), weights(again.model))
    assert same(once.arrays["masks"], again.arrays["masks"])
    assert once.history == again.history


@pytest.mark.slow
def test_a_state_from_a_file_leads_to_the_same(tmp_path):
    method, model = magnitude(rates={"fc1": 0.5, "fc2": 0.25}, steps=2), network()
    given = context(model, task())
    first = method.step(given, method.start(given))
    saved = Saved(tmp_path / "state", {})
    saved.save(given.ledger.keep_in(first), model)
    straight = method.step(given, first)
    keras.utils.set_random_seed(77)
    restored = saved.load(model)
    given.ledger.take_from(restored)
    resumed = method.step(given, restored)
    assert same(weights(straight.model), weights(resumed.model))
    assert straight.extra == resumed.extra
    ends = [method.finish(given, state) for state in (straight, resumed)]
    rates = [end.result.model.get_layer("dropout").rate for end in ends]
    assert rates == pytest.approx([0.5 * 0.25**0.5] * 2)


@pytest.mark.slow
def test_dropout_weakens_by_the_square_root_of_the_connections():
    method = magnitude(rates={"fc1": 0.5, "fc2": 0.25}, steps=2)
    states = steps_of(method, context(network(dropout=0.5), task()))
    rates = [state.model.get_layer("dropout").rate for state in states]
    assert rates == pytest.approx([0.5, 0.5 * 0.5**0.5, 0.5 * 0.25**0.5])


def test_a_layer_of_zeros_leaves_its_dropout_alone():
    model = network(dropout=0.5)
    model.get_layer("fc1").kernel.assign(np.zeros((216, 16)))
    method = magnitude(threshold="global", sparsity=0.99, steps=1)
    _, last = steps_of(method, context(model, task()))
    assert last.extra["dropout_rates"] == [0.5]


def test_zeros_of_the_original_stay_and_biases_are_no_weights_to_prune():
    model = network()
    kernel = model.get_layer("fc1").kernel.numpy()
    kernel[:100] = 0
    model.get_layer("fc1").kernel.assign(kernel)
    model.get_layer("fc1").bias.assign(np.full(16, 0.001))
    given = context(model, task())
    _, last = steps_of(magnitude(rates={"fc1": 0.5}, steps=1), given)
    assert left(last.model)["fc1"] == (3456 - 1600) // 2
    assert not last.model.get_layer("fc1").kernel.numpy()[:100].any()
    assert (last.model.get_layer("fc1").bias.numpy() != 0).all()


def test_the_outcome_computes_what_the_sparse_network_does():
    method, model = magnitude(threshold="global", sparsity=0.97, steps=1), network()
    given = context(model, task())
    *_, last = steps_of(method, given)
    outcome = method.finish(given, last)
    sparse, small = outcome.result.model, outcome.pruned.model
    assert small.count_params() < model.count_params()
    for one in (small, prune(sparse, outcome.pruned.plan)):
        np.testing.assert_allclose(one(images()), sparse(images()), rtol=1e-4, atol=1e-5)
    kept = sum(left(sparse).values()) + 6 + 16 + 4
    assert outcome.notes[0].startswith(f"{kept:,} of 3,600 parameters are not zero")
    assert prune(model, outcome.pruned.plan).count_params() == small.count_params()


def regression() -> tuple[keras.Model, Task]:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    x = layers.Dense(12, activation="relu", name="hidden")(inputs)
    model = keras.Model(inputs, layers.Dense(1, name="out")(layers.Dropout(0.2)(x)))
    x = np.random.default_rng(0).normal(size=(32, 6)).astype("float32")
    data = x, x.sum(axis=1, keepdims=True)
    return model, Task(data, validation=data, loss="mse", metrics=["mae"], batch_size=8)


def two_outputs() -> tuple[keras.Model, Task]:
    keras.utils.set_random_seed(0)
    left_in, right_in = keras.Input((4,), name="left"), keras.Input((3,), name="right")
    x = layers.Concatenate()([left_in, right_in])
    x = layers.Dense(8, activation="relu", name="hidden")(x)
    outputs = {"a": layers.Dense(1, name="a")(x), "b": layers.Dense(2, name="b")(x)}
    model = keras.Model([left_in, right_in], outputs)
    rng = np.random.default_rng(0)
    x = tuple(rng.normal(size=(24, size)).astype("float32") for size in (4, 3))
    y = {"a": x[0][:, :1], "b": x[1][:, :2]}
    losses = {"a": "mse", "b": "mse"}
    return model, Task((x, y), validation=(x, y), loss=losses, objective="loss", batch_size=8)


@pytest.mark.slow
@pytest.mark.parametrize("make", [regression, two_outputs])
def test_no_step_needs_classes(make):
    model, given = make()
    method = magnitude(threshold="lamp", sparsity=0.6, steps=2)
    method.check(model, given.bind(model))
    run = context(model, given)
    *_, last = steps_of(method, run)
    outcome = method.finish(run, last)
    assert last.history[-1]["sparsity"] == pytest.approx(0.6, abs=0.02)
    assert outcome.pruned.value == pytest.approx(last.value, rel=1e-4)


def test_a_fit_that_tells_no_callback_brings_no_weight_back():
    def own(model, config, callbacks):
        model.get_layer("fc1").kernel.assign_add(np.ones((216, 16)))

    data = images(), np.arange(16) % 4
    given = Task(data, validation=data, fit=own)
    *_, last = steps_of(magnitude(rates={"fc1": 0.5}, steps=1), context(network(), given))
    assert left(last.model)["fc1"] == 1728


class Two(keras.Model):
    """A model with a `call` of its own, whose layers are made in another order than called."""

    def __init__(self) -> None:
        super().__init__(name="two")
        self.last = layers.Dense(2, name="last")
        self.drop = layers.Dropout(0.4, name="drop")
        self.first = layers.Dense(9, activation="relu", name="first")

    def call(self, inputs, training=None):
        return self.last(self.drop(self.first(inputs), training=training))


@pytest.mark.slow
def test_a_model_with_a_call_of_its_own(tmp_path):
    keras.utils.set_random_seed(0)
    model = Two()
    x = np.random.default_rng(0).normal(size=(24, 5)).astype("float32")
    model(x)
    data = x, np.arange(24) % 2
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    given = context(model, Task(data, validation=data, loss=loss, batch_size=8))
    method = magnitude(rates={"first": 0.5}, steps=2)
    method.check(model, given.task)
    first = method.step(given, method.start(given))
    saved = Saved(tmp_path / "state", {})
    saved.save(given.ledger.keep_in(first), model)
    straight = method.step(given, first)
    restored = saved.load(model)
    given.ledger.take_from(restored)
    resumed = method.step(given, restored)
    assert same(weights(straight.model), weights(resumed.model))
    outcome = method.finish(given, resumed)
    assert prune(model, outcome.pruned.plan).count_params() == outcome.pruned.model.count_params()
    assert outcome.result.tables["parameters"]["layer"].tolist() == ["first", "last", "total"]


def test_what_cannot_be_pruned_is_refused_before_the_first_training():
    with pytest.raises(ConfigError, match="Unknown layer in exclude 'fc4'"):
        magnitude(**GLOBAL, exclude=("fc4",)).check(network(), None)
    with pytest.raises(ConfigError, match="Nothing would be pruned"):
        magnitude(threshold="global", sparsity=0.0).start(context(network(), task()))


def test_another_backend_is_told_what_works_there(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ModelError, match=r"Keras on jax. Channel pruning \(kp.prune with"):
        magnitude(**GLOBAL).check(network(), None)


@pytest.mark.slow
def test_the_last_training_is_the_finetune():
    given = context(network(), task())
    steps_of(magnitude(**GLOBAL), given)
    stages = [row["stage"] for row in given.ledger.epochs]
    assert stages == ["recover 1/2", "fine-tune"]
    assert TRAINING.epochs == 1
