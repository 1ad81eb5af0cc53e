"""A whole run with real trainings, and its steps carried out once more."""

import json

import keras
import numpy as np
import pytest

from keras_prune import data, zoo
from keras_prune.methods.filter_agent import FilterAgent
from keras_prune.methods.state import Saved
from keras_prune.surgery import prune
from keras_prune.tracking import Observer, Observers
from keras_prune.training import Task, TrainingConfig, fit
from tests.methods.filter_agent.stand_in import (
    StandIn,
    assert_same_state,
    kill_half,
    removed,
    states,
    step_from,
    weights,
)

pytestmark = pytest.mark.slow

layers = keras.layers
SHORT = {
    "recovery": TrainingConfig(epochs=1, learning_rate=0.02, steps_per_epoch=10),
    "finetune": TrainingConfig(epochs=2, learning_rate=0.02, steps_per_epoch=10),
}


class Told(Observer):
    """Remembers what it is told."""

    def __init__(self):
        super().__init__("here")
        self.epochs, self.steps = [], []

    def epoch(self, epoch):
        self.epochs.append(epoch)

    def step(self, series, step, figures):
        self.steps.append((series, step, figures))


@pytest.fixture(scope="module")
def told():
    return Told()


@pytest.fixture(scope="module")
def method():
    return FilterAgent(b=4.0, reward_images=200, max_updates=4, rounds=2, **SHORT)


@pytest.fixture(scope="module")
def context(told):
    splits = data.load("digits", input_shape=(28, 28, 1), batch_size=32)
    model = zoo.lenet5()
    fit(model, splits, TrainingConfig(epochs=3, learning_rate=0.05), seed=3)
    return StandIn(model, Task(splits), seed=3, observers=Observers([told]))


@pytest.fixture(scope="module")
def run(method, context):
    return states(method, context)


@pytest.fixture(scope="module")
def outcome(method, context, run):
    return method.finish(context, run[-1])


@pytest.mark.slow
def test_it_prunes_and_keeps_to_b(context, outcome):
    assert context.baseline > 85
    assert outcome.pruned.model.count_params() < 0.9 * context.model.count_params()
    assert context.baseline - outcome.pruned.value <= 4.0
    assert outcome.pruned.value == context.value(outcome.pruned.model)


def test_the_plan_replays_on_the_original(context, outcome):
    replayed = prune(context.model, outcome.pruned.plan)
    shapes = [weight.shape for weight in outcome.pruned.model.weights]
    assert [weight.shape for weight in replayed.weights] == shapes


def test_every_training_and_every_update_is_told(run, told):
    stages = [row["stage"] for row in run[-1].epochs]
    assert stages == [epoch.stage for epoch in told.epochs]
    assert {"recover conv1", "fine-tune", "fine-tune 2"} <= set(stages)
    assert [(series, figures["reward"]) for series, _, figures in told.steps] == [
        (row["group"], row["reward"]) for row in run[-1].history
    ]


def test_history_is_a_table(method, run):
    assert len(method.tables(run[-1])["history"]) == len(run[-1].history)
    assert {row["round"] for row in run[-1].history} == {1, 2}


def dropping_network():
    """A regression with dropout, where the order of random numbers counts."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((12,))
    x = layers.Dense(8, activation="relu", name="first")(inputs)
    x = layers.Dense(6, activation="relu", name="second")(layers.Dropout(0.3)(x))
    outputs = [layers.Dense(1, name=name)(x) for name in ("left", "right")]
    return kill_half(keras.Model(inputs, outputs))


@pytest.fixture(scope="module")
def regression():
    """Two outputs, no classes, no images; less of the loss is better."""
    model = dropping_network()
    inputs = np.random.default_rng(0).normal(size=(96, 12)).astype("float32")
    targets = tuple(map(np.asarray, model(inputs, training=False)))
    task = Task(
        (inputs, targets), validation=(inputs, targets), loss=["mse", "mse"], objective="loss"
    )
    method = FilterAgent(
        b=0.05, max_updates=5, samples=3, rounds=2,
        recovery=TrainingConfig(epochs=1, learning_rate=0.002),
        finetune=TrainingConfig(epochs=2, learning_rate=0.002),
    )  # fmt: skip
    return model, task, method


@pytest.fixture(scope="module")
def unbroken(regression):
    model, task, method = regression
    context = StandIn(model, task)
    before, found = [], [context.ledger.keep_in(method.start(context))]
    while not found[-1].done:
        networks = [found[-1].now, *(found[-1].networks[name] for name in found[-1].networks)]
        before.append([weights(network.model) for network in networks])
        found.append(step_from(found[-1], method, context))
    return context, found, before


def test_a_regression_of_several_outputs_is_pruned_within_b(unbroken):
    context, found, _ = unbroken
    assert removed(found[-1].plan) >= 3
    assert found[-1].value <= context.baseline + 0.05


@pytest.mark.slow
def test_a_step_from_the_same_state_gives_the_same_bits(regression, unbroken):
    model, task, method = regression
    _, found, _ = unbroken
    for number in range(len(found) - 1):
        again = step_from(found[number], method, StandIn(model, task))
        assert_same_state(again, found[number + 1])


def test_no_step_changes_the_networks_of_its_state(unbroken):
    _, found, before = unbroken
    for state, values in zip(found, before, strict=False):
        for network, then in zip([state.now, *state.networks.values()], values, strict=True):
            for old, now in zip(then, weights(network.model), strict=True):
                np.testing.assert_array_equal(old, now)


@pytest.mark.slow
def test_a_run_that_goes_on_from_disk_ends_alike(regression, unbroken, tmp_path):
    model, task, method = regression
    _, found, _ = unbroken
    for number in (1, len(found) // 2):
        saved = Saved(tmp_path / str(number), {})
        saved.save(found[number], model)
        state = saved.load(model)
        assert_same_state(state, found[number])
        assert_same_state(step_from(state, method, StandIn(model, task)), found[number + 1])


def test_steps_are_counted(unbroken):
    assert [state.step for state in unbroken[1]] == list(range(len(unbroken[1])))


def test_states_are_plain_data(unbroken):
    for state in unbroken[1]:
        for part in (state.history, state.extra, state.untouched, state.notes):
            assert json.loads(json.dumps(part)) == (list(part) if isinstance(part, tuple) else part)
