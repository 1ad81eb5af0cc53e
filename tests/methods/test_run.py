"""What the driver does for every method, seen with a small one."""

import json
import os
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from keras_prune import Task
from keras_prune.errors import ConfigError, ExportError, ModelError, ResultWarning
from keras_prune.graph import ChannelGraph
from keras_prune.methods import Method, Outcome, get
from keras_prune.methods.ranking import Ranking
from keras_prune.methods.run import run_method
from keras_prune.profiling import profile
from keras_prune.reporting import RunDirectory
from keras_prune.surgery import prune
from keras_prune.training import TrainingConfig
from tests.networks.barriers import untraceable

from . import tiny
from .tiny import SPLITS, TRAININGS, assert_same_weights, trained

FILES = {
    "scores.json",
    "baseline.keras", "history.csv", "layers.csv", "plan.json", "pruned.keras", "report.json",
    "training.csv", "training.svg",
}  # fmt: skip


def ranking(**options):
    return Ranking(**{"params": 0.5, "criterion": "l1", "steps": 2} | TRAININGS | options)


@pytest.fixture(scope="module")
def model():
    return trained()


@pytest.fixture(scope="module")
def reads():
    """How often the test data were read, at each reading of them."""
    return []


@pytest.fixture(scope="module")
def task(reads):
    """The digits; reading the test data counts."""
    return digits(reads)


def digits(reads, **options):
    x, y = SPLITS.test_arrays()

    def batches():
        reads.append(1)
        yield x, y

    spec = tf.TensorSpec((None, 8, 8, 1)), tf.TensorSpec((None,), tf.int32)
    test = tf.data.Dataset.from_generator(batches, output_signature=spec)
    test = test.apply(tf.data.experimental.assert_cardinality(1))
    train = SPLITS.training_sample(1078)
    validation = SPLITS.validation_arrays()
    return Task(train, validation=validation, test=test, batch_size=64, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("driver") / "run"


@pytest.fixture(scope="module")
def result(model, task, folder):
    return ranking().run(model, task, seed=3, directory=folder)


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_the_directory_is_complete(result, folder):
    assert names(folder) == FILES


def test_reported_numbers_are_those_of_the_weights(result, model):
    before, after, report = result.report.before, result.report.after, result.report
    for figures, network in ((before, model), (after, result.model)):
        cost = profile(network).total
        assert figures.parameters == network.count_params() == cost.parameters
        assert (figures.macs, figures.flops) == (cost.macs, cost.flops)
        assert figures.bytes == sum(4 * weight.size for weight in network.get_weights())
    widths = {name: group.channels for name, group in ChannelGraph(result.model).groups.items()}
    assert {group.name: group.kept for group in report.groups} == widths
    assert {n: len(kept) for n, kept in result.plan.kept.items()} == widths
    assert after.parameters <= 0.5 * before.parameters


def test_reported_accuracies_are_those_of_the_models(result, model):
    for figures, network in ((result.report.before, model), (result.report.after, result.model)):
        for split, expected in (("test", figures.test), ("validation", figures.validation)):
            x, y = getattr(SPLITS, f"{split}_arrays")()
            right = network.predict(x, verbose=0).argmax(axis=1) == y
            assert expected == pytest.approx(100 * right.mean())
    assert result.report.drop == result.report.before.test - result.report.after.test


def test_the_plan_leads_to_the_pruned_shapes_and_the_original_is_untouched(result, model, folder):
    small = prune(model, result.plan)
    assert [w.shape for w in small.weights] == [w.shape for w in result.model.weights]
    assert_same_weights(keras.models.load_model(folder / "baseline.keras"), model)
    assert_same_weights(model, trained())


@pytest.mark.slow
def test_without_test_data_the_report_is_of_the_validation_data(model):
    data = SPLITS.validation_arrays()
    report = ranking(steps=1).run(model, Task(data, validation=data)).report
    assert (report.before.test, report.after.test) == (None, None)
    assert report.drop == report.before.validation - report.after.validation


def test_a_finished_directory_returns_its_report_again(result, model, task, folder, reads):
    count = len(reads)
    again = ranking().run(model, task, seed=3, directory=folder)
    written = json.loads((folder / "report.json").read_text())
    for report in (result.report, again.report):
        assert json.loads(json.dumps(report.to_dict())) == written
    assert again.plan == result.plan
    assert_same_weights(again.model, result.model)
    assert len(reads) == count
    assert names(folder) == FILES


@pytest.mark.parametrize(
    ("method", "seed", "message"),
    [
        (ranking(params=0.4), 3, "another configuration"),
        (ranking(), 4, "another seed: 3. Received: 4"),
        (get("rl_pruner", macs=0.5), 3, "another method: ranking. Received: rl_pruner"),
    ],
)
def test_a_finished_directory_is_of_one_request(result, model, task, folder, method, seed, message):
    with pytest.raises(ConfigError, match=message) as told:
        method.run(model, task, seed=seed, directory=folder)
    assert "\n" not in str(told.value)


def test_without_a_directory_nothing_is_written_and_test_data_are_read_at_the_end(
    model, task, reads, tmp_path, monkeypatch, result
):
    counts, finish = [len(reads)], Ranking.finish

    def finished(*given):
        outcome = finish(*given)
        counts.append(len(reads))
        return outcome

    monkeypatch.setattr(Ranking, "finish", finished)
    monkeypatch.chdir(tmp_path)
    again = ranking().run(model, task, seed=3)
    assert os.listdir(tmp_path) == []
    assert counts[1] == counts[0]
    assert len(reads) == counts[0] + 2  # the network before and after
    assert_same_weights(again.model, result.model)
    assert again.report.after == result.report.after


class Killed(BaseException):
    """A process that ends in the middle of its work."""


class Killer(keras.callbacks.Callback):
    """Lets a process live for so many batches: a recovery has 4, the last training 6."""

    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise Killed


def killed_after(batches, model, directory, **options):
    """A run in a process that lives for so many batches."""
    with pytest.raises(Killed):
        ranking().run(
            model, digits([], callbacks=[Killer(batches)]), directory=directory, **options
        )


@pytest.fixture
def exact(monkeypatch):
    """Every batch of a training is kept."""
    monkeypatch.setenv("KERAS_PRUNE_CHECKPOINT_SECONDS", "0")


def assert_unbroken(again, whole, folder, expected):
    assert_same_weights(again.model, whole.model)
    assert again.plan == whole.plan
    assert (again.report.after, again.report.before) == (whole.report.after, whole.report.before)
    for name in ("training.csv", "history.csv", "plan.json", "layers.csv"):
        assert (folder / name).read_text() == (expected / name).read_text(), name
    assert names(folder) == names(expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param((3,), marks=pytest.mark.slow),
        pytest.param((8,), marks=pytest.mark.slow),
        (2, 1),
    ],
)
def test_killed_in_a_training_and_run_again_is_not_killed(
    result, model, task, folder, tmp_path, exact, numbers
):
    for number in numbers:
        killed_after(number, model, tmp_path, seed=3)
    again = ranking().run(model, task, seed=3, directory=tmp_path)
    assert_unbroken(again, result, tmp_path, folder)
    assert again.report.resumed == len(numbers)
    times = "once" if len(numbers) == 1 else "2 times"
    assert f"The run was ended before its time {times}, and went on." in again.report.notes


PLACES = {
    "before the first state": "keras_prune.methods.run.Saved.save",
    "while the last files are written": "keras_prune.methods.run.draw_curves",
}


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_killed_elsewhere_and_run_again_is_not_killed(
    result, model, task, folder, tmp_path, place, monkeypatch
):
    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(PLACES[place], die)
        ranking().run(model, task, seed=3, directory=tmp_path)
    assert not (tmp_path / "report.json").exists()
    assert_unbroken(
        ranking().run(model, task, seed=3, directory=tmp_path), result, tmp_path, folder
    )


@pytest.fixture(scope="module")
def killed(model, tmp_path_factory):
    """The directory of a run that was killed in its first recovery."""
    path = tmp_path_factory.mktemp("killed")
    killed_after(2, model, path)
    return path


def test_a_killed_run_goes_on_with_the_same_request_alone(model, task, killed):
    x, y = SPLITS.validation_arrays()
    fewer = Task(SPLITS.training_sample(1078), validation=(x[:50], y[:50]), batch_size=64)
    for what, method, network, data, seed in (
        ("configuration", ranking(criterion="l2"), model, task, 0),
        ("configuration", ranking(finetune=None), model, task, 0),
        ("method", get("rl_pruner", macs=0.5), model, task, 0),
        ("model", ranking(), keras.models.clone_model(model), task, 0),
        ("validation data", ranking(), model, fewer, 0),
        ("seed", ranking(), model, task, 1),
    ):
        with pytest.raises(ConfigError, match=f"begun with another {what}") as told:
            method.run(network, data, seed=seed, directory=killed)
        assert "\n" not in str(told.value)


def test_a_directory_that_another_process_works_in_is_refused(model, task, killed):
    refused = pytest.raises(ConfigError, match="in use by process .* Wait until that")
    with RunDirectory(killed).locked(), refused as told:
        ranking().run(model, task, directory=killed)
    assert "\n" not in str(told.value)


def test_a_directory_of_something_else_is_refused_untouched(model, task, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ConfigError, match="is not empty"):
        ranking().run(model, task, directory=tmp_path)
    assert names(tmp_path) == {"letter.txt"}


def test_a_request_that_cannot_be_carried_out_leaves_no_directory(model, task, tmp_path):
    with pytest.raises(ConfigError, match="exclude"):
        ranking(exclude=("nothing",)).run(model, task, directory=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_model_that_no_report_can_count_is_refused_at_once(tmp_path):
    x, y = np.zeros((8, 6, 3), "float32"), np.zeros(8, "int32")
    inputs = keras.Input((None, 3))
    hidden = keras.layers.Conv1D(4, 3)(keras.layers.Conv1D(4, 3)(inputs))
    pooled = keras.layers.GlobalMaxPooling1D()(hidden)
    model = keras.Model(inputs, keras.layers.Dense(2)(pooled))
    with pytest.raises(ModelError, match="of known size"):
        ranking().run(model, Task((x, y), validation=(x, y)), directory=tmp_path / "run")
    assert not (tmp_path / "run" / "state").exists()


@pytest.mark.slow
def test_exports_that_fail_do_not_lose_the_run(model, task, tmp_path, monkeypatch):
    from keras_prune.methods.run import export

    errors = {
        "bad": ExportError("No\n converter."),
        "full": OSError(28, "No space"),
        "raw": KeyError("op"),
    }

    def fail(network, path, **options):
        assert (path.parent / "pruned.keras").exists()
        if path.name in errors:
            raise errors[path.name]
        return export(network, path, **options)

    monkeypatch.setattr("keras_prune.methods.run.export", fail)

    def run():
        return run_method(
            ranking(steps=1), model, task, directory=tmp_path, exports=(*errors, "model.tflite")
        ).report

    with pytest.warns(ResultWarning, match="Not exported"):
        report = run()
    told = [note for note in report.notes if "Not exported" in note]
    again = [
        f"{reason} To try again: keras-prune export {tmp_path}/pruned.keras --out {tmp_path}/{name}"
        for name, reason in (
            ("bad", "No converter."), ("full", "[Errno 28] No space."), ("raw", "'op'.")
        )
    ]  # fmt: skip
    assert [note.split(": ", 2)[2] for note in told] == again
    assert [each.get("failed", "") for each in report.exports[:2]] == [
        "No converter.", "[Errno 28] No space."
    ]  # fmt: skip
    assert report.exports[3]["format"] == "tflite"
    assert names(tmp_path) == FILES | {"model.tflite"}
    assert run().notes == report.notes  # the run has ended


@pytest.mark.slow
def test_a_destroyed_network_is_told_before_and_after_the_last_training(model, task, monkeypatch):
    spared = TrainingConfig(epochs=1, learning_rate=1e-6, steps_per_epoch=1)
    method = ranking(
        params=None, ratio=0.9, max_ratio=1.0, steps=1, finetune=spared, recalibration_images=0
    )
    with pytest.warns(ResultWarning) as caught:
        report = method.run(model, task).report
    told = [str(each.message) for each in caught if each.category is ResultWarning]
    starts = ["The network is destroyed: its accuracy is ", "Less than a tenth of its channels is "]
    parts = [sentence.removeprefix("Before the fine-tuning: ") for sentence in told]
    assert [sentence.startswith("Before the") for sentence in told] == [True, True, False, False]
    assert all(part.startswith(start) for part, start in zip(parts, 2 * starts, strict=True))
    assert "hidden (1 of 12)" in told[3] and report.notes[-2:] == tuple(told[2:])
    assert f"{report.after.test:.2f} %, and was {report.before.test:.2f} %" in told[2]

    def killed(*args, **kwargs):
        raise Killed

    monkeypatch.setattr("keras_prune.methods.context.fit", killed)
    with pytest.warns(ResultWarning, match="Before the fine-tuning"), pytest.raises(Killed):
        method.run(model, task)


@pytest.mark.slow
def test_a_network_at_chance_before_it_is_pruned_is_told(task):
    with pytest.warns(ResultWarning, match="given network is .* one of 10 classes gives 10 %"):
        run_method(ranking(), tiny.network(), task, until="prune")


@pytest.mark.slow
def test_work_that_cannot_be_counted_is_noted(model, task):
    scaled = keras.layers.Lambda(untraceable, name="own")(i := keras.Input((8, 8, 1)))
    report = ranking(steps=1).run(keras.Model(i, model(scaled)), task).report
    assert (
        "MACs and FLOPs are lower bounds: not counted are 'own' (no rule for the layer Lambda)."
        in report.notes
    )


@pytest.mark.slow
def test_it_can_end_before_the_test_data_are_read(model, task, tmp_path, reads, result, folder):
    count = len(reads)
    assert run_method(ranking(), model, task, seed=3, directory=tmp_path, until="prune") is None
    assert len(reads) == count
    assert not (tmp_path / "report.json").exists()
    again = run_method(ranking(), model, task, seed=3, directory=tmp_path)
    assert again.report.after == result.report.after


class Doing(Method):
    """A method that prunes nothing, and changes nothing of its state but what it must."""

    name = "doing"
    Config = Ranking.Config

    def check(self, model, task):
        pass

    def step(self, context, state):
        rows = (*state.history, {"step": state.step + 1, "drawn": np.random.random()})
        return replace(state, step=state.step + 1, done=state.step == 2, history=rows)

    def finish(self, context, state):
        return Outcome(state.now)


def drawn_in(folder):
    return pd.read_csv(folder / "history.csv")["drawn"].tolist()


def test_a_method_needs_no_more_than_steps_and_each_has_a_random_stream(
    model, task, tmp_path, monkeypatch
):
    found = Doing(macs=0.5).run(model, task, directory=tmp_path / "one")
    assert found.model is model and found.plan.kept == {}
    assert found.report.after == found.report.before
    drawn = drawn_in(tmp_path / "one")
    assert len(set(drawn)) == 3
    step = Doing.step

    def dying(self, context, state):
        if state.step == 1:
            raise Killed
        return step(self, context, state)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Doing, "step", dying)
        Doing(macs=0.5).run(model, task, directory=tmp_path / "two")
    np.random.random(7)  # what this process did before does not matter
    Doing(macs=0.5).run(model, task, directory=tmp_path / "two")
    assert drawn_in(tmp_path / "two") == drawn


@pytest.mark.slow
def test_a_table_that_a_kill_came_before_is_written_when_the_run_goes_on(
    model, task, tmp_path, monkeypatch
):
    write = RunDirectory.write_frame

    def killed(self, name, frame):
        if name == "history.csv" and len(frame) == 2:  # the last step, whose state is saved
            raise Killed
        return write(self, name, frame)

    run = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(RunDirectory, "write_frame", killed)
        ranking(steps=2).run(model, task, directory=run)
    ranking(steps=2).run(model, task, directory=run)
    assert len(pd.read_csv(run / "history.csv")) == 2
