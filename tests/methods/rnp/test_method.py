"""Steps of the method: backbone and agent trained in turn, on a task where some images are hard."""

import keras
import numpy as np
import pytest

from keras_prune import Task
from keras_prune.errors import ConfigError, ModelError
from keras_prune.methods.rnp import RNP, DecisionNetwork, RuntimePrunedModel
from keras_prune.methods.rnp.evaluator import DecisionEvaluator
from keras_prune.methods.state import Saved
from keras_prune.reporting import RunDirectory
from keras_prune.training import DistillationConfig

from .runs import context, decided, digits, method, network

layers = keras.layers


@pytest.fixture(scope="module")
def rnp():
    return method(steps=2)


@pytest.fixture(scope="module")
def run():
    return context(network())


@pytest.fixture(scope="module")
def start(rnp, run):
    return rnp.start(run)


@pytest.fixture(scope="module")
def first(rnp, run, start):
    return rnp.step(run, start)


@pytest.fixture(scope="module")
def second(rnp, run, first):
    return rnp.step(run, first)


def values(state):
    return [*state.model.get_weights(), *(a for found in state.arrays.values() for a in found)]


def assert_same(found, expected):
    for ours, theirs in zip(values(found), values(expected), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (found.extra, found.history) == (expected.extra, expected.history)


def test_it_starts_with_the_network_in_another_order(run, start):
    images, _, _ = run.task.examples("validation", 8)
    np.testing.assert_allclose(start.model(images), run.model(images), rtol=1e-3, atol=1e-4)
    assert start.model is not run.model
    assert not start.plan.kept and start.value == run.baseline


def test_a_step_trains_the_backbone_and_then_the_agent(run, start, first):
    moved = {
        new.path: not np.array_equal(old, new)
        for old, new in zip(start.model.weights, first.model.weights, strict=True)
    }
    assert moved["conv1/kernel"] and moved["logits/kernel"]
    assert not moved["norm1/moving_mean"]  # it would be that of all widths at once
    assert first.value == pytest.approx(run.value(first.model))
    assert [row["step"] for row in first.history] == [1] * 6
    epsilons = [row["epsilon"] for row in first.history]
    assert epsilons[0] == 1 and epsilons == sorted(epsilons, reverse=True)
    assert (first.step, first.done, first.plan) == (1, False, start.plan)


def test_the_backbone_becomes_good_at_the_least_width(run, start, second):
    images, labels, _ = run.task.examples("validation")
    least, agent = np.zeros((len(labels), 1), "int32"), DecisionNetwork([8], 2)
    before, after = (
        DecisionEvaluator(decided(state.model), agent).forced(images, labels, least).accuracy
        for state in (start, second)
    )
    assert after > before + 20


@pytest.mark.slow
def test_a_step_changes_nothing_it_was_given_and_can_be_repeated(rnp, run, start, first):
    before = values(start)
    assert_same(rnp.step(run, start), first)
    for ours, theirs in zip(values(start), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_a_state_from_disk_leads_to_the_same(rnp, run, first, second, tmp_path):
    assert second.done and [row["step"] for row in second.history] == [1] * 6 + [2] * 6
    saved = Saved(tmp_path, {})
    saved.save(first, run.model)
    assert_same(rnp.step(context(run.model), saved.load(run.model)), second)


class Stopping(keras.callbacks.Callback):
    """Ends a training after some batches."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 17:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_a_fine_tuning_goes_on_where_it_was_killed(rnp, run, first, second, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CHECKPOINT_SECONDS", "0")
    directory = RunDirectory.create(tmp_path)
    stopping = Task(digits(), callbacks=lambda: [Stopping()])
    with pytest.raises(KeyboardInterrupt):
        rnp.step(context(run.model, stopping, directory=directory), first)
    seen = []
    counting = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(batch)
    )
    again = context(run.model, Task(digits(), callbacks=[counting]), directory=directory)
    assert_same(rnp.step(again, first), second)
    assert seen == list(range(17, 30))


def test_it_ends_with_one_model_of_both(rnp, run, first):
    outcome = method(steps=2, balance=-0.02).finish(run, first)
    model = outcome.pruned.model
    assert isinstance(model, RuntimePrunedModel)
    assert model.balance == pytest.approx(-0.02)
    images, labels, _ = run.task.examples("validation")
    right = model.predict(images, verbose=0).argmax(axis=1) == labels
    assert outcome.pruned.value == pytest.approx(100 * right.mean())
    assert list(outcome.untouched) == ["conv0"]
    assert not outcome.pruned.plan.kept


@pytest.mark.slow
def test_its_trainings_are_told_and_recorded(rnp, start):
    run = context(network())
    rnp.step(run, start)
    [row] = run.ledger.epochs
    assert (row["stage"], row["epoch"]) == ("recover 1/2", 1)
    assert row["loss"] > 0 and row["accuracy"] > 0


def test_a_regression_is_refused():
    image = keras.Input((16, 16, 1))
    x = layers.Conv2D(4, 3)(layers.Conv2D(4, 3)(image))
    model = keras.Model(image, layers.Dense(1)(layers.Flatten()(x)))
    x, y = np.zeros((8, 16, 16, 1), "float32"), np.zeros((8, 1), "float32")
    task = Task((x, y), validation=(x, y), loss="mse").bind(model)
    with pytest.raises(ConfigError, match="for classifiers of images") as told:
        method().check(model, task)
    assert "\n" not in str(told.value)
    with pytest.raises(ConfigError, match="for classifiers of images"):
        method().run(model, task)


def test_a_training_of_the_users_own_is_refused():
    model = network()
    task = Task(digits(), fit=lambda model, config, callbacks: None).bind(model)
    with pytest.raises(ConfigError, match=r"Leave out kp.Task\(fit"):
        method().check(model, task)


def test_distillation_is_refused():
    with pytest.raises(ConfigError, match="learns from the labels alone"):
        RNP(distillation=DistillationConfig()).check(network(), None)


def test_too_many_sets_are_refused():
    with pytest.raises(ConfigError, match="'conv1' has 8 channels. Received: 9"):
        method(sets=9).check(network(), None)


def test_two_inputs_are_refused():
    images = [keras.Input((16, 16, 1)) for _ in range(2)]
    x = layers.Conv2D(4, 3)(layers.Conv2D(4, 3)(layers.Concatenate()(images)))
    model = keras.Model(images, layers.Dense(3)(layers.Flatten()(x)))
    with pytest.raises(ModelError, match="Expected a network of one input, images of a fixed size"):
        method().check(model, None)
