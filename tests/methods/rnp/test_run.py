"""A whole run on the embedded digits."""

import json
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest

from keras_prune import data, zoo
from keras_prune.errors import ConfigError, ModelError
from keras_prune.methods.rnp import RNP
from keras_prune.methods.run import run_method
from keras_prune.reporting import PruningReport
from keras_prune.runtimes import open_runtime
from keras_prune.runtimes.loading import load_model
from keras_prune.tracking import Observers
from keras_prune.tracking.observer import Observer
from keras_prune.training import Task, TrainingConfig, fit

pytestmark = pytest.mark.slow

EXPORTS = ("saved_model", "model.tflite")
FILES = {
    "actions.csv", "baseline.keras", "classes.csv", "examples.svg", "history.csv", "latency.csv",
    "learning.svg", "model.tflite", "multiplications.csv", "plan.json", "pruned.keras",
    "report.json", "saved_model", "training.csv", "training.svg",
}  # fmt: skip


def method(**config):
    settings = {"sets": 2, "steps": 1, "episodes": 5, "calibration_images": 128}
    recovery = TrainingConfig(epochs=1, learning_rate=0.02, steps_per_epoch=20)
    return RNP(**settings | config, recovery=recovery)


class Recording(Observer):
    """Keeps what it is told, in order."""

    def __init__(self):
        super().__init__("a list")
        self.told = []

    def epoch(self, epoch):
        self.told.append((epoch.stage, epoch.number))

    def step(self, series, step, figures):
        self.told.append((series, figures["episode"]))


@pytest.fixture(scope="module")
def splits():
    return data.load("digits", input_shape=(28, 28, 1), batch_size=32)


@pytest.fixture(scope="module")
def model(splits):
    keras.utils.set_random_seed(3)
    network = zoo.conv248()
    fit(network, splits, TrainingConfig(epochs=8, learning_rate=0.02), seed=3)
    return network


@pytest.fixture(scope="module")
def recording():
    return Recording()


def test_latency_that_cannot_be_measured_does_not_cost_the_run(
    model, splits, tmp_path, monkeypatch
):
    def refused(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("keras_prune.methods.rnp.reporting.export", refused)
    report = run_method(method(), model, Task(splits), seed=3, directory=tmp_path).report
    assert "The latency was not measured: [Errno 28] No space left on device." in report.notes
    assert {path.name for path in tmp_path.iterdir()} == FILES - {"latency.csv", *EXPORTS}


@pytest.fixture(scope="module")
def run(tmp_path_factory, recording, model, splits):
    folder = tmp_path_factory.mktemp("rnp") / "run"
    told = Observers([recording])
    run_method(
        method(), model, Task(splits), seed=3, directory=folder, exports=EXPORTS, observers=told
    )
    return folder


@pytest.fixture(scope="module")
def report(run):
    return PruningReport.from_dict(json.loads((run / "report.json").read_text()))


@pytest.fixture(scope="module")
def pruned(run):
    return load_model(run / "pruned.keras")


def test_writes_every_file(run):
    assert {path.name for path in run.iterdir() if not path.name.startswith(".")} >= FILES


def test_the_saved_model_is_what_was_reported(report, pruned, splits):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    pruned.compile(loss=loss, metrics=["accuracy"])
    loss, accuracy = pruned.evaluate(splits.test, verbose=0)
    assert 100 * accuracy == pytest.approx(report.after.test, abs=1e-4)
    assert loss == pytest.approx(report.after.loss, rel=1e-4)
    assert report.method == "rnp"
    assert report.skipped[0].name == "conv1"
    assert report.after.parameters == pruned.count_params()


def test_the_tables_are_of_the_saved_models_decisions(run, report, pruned, splits):
    images, labels = splits.test_arrays()
    actions = pruned.decide(images)[1].numpy()
    shares = pd.read_csv(run / "actions.csv", index_col="layer")
    for layer, column in zip(("conv2", "conv3"), actions.T, strict=True):
        assert shares.loc[layer, "1 set"] == pytest.approx(100 * np.mean(column == 0))
    frame = pd.read_csv(run / "multiplications.csv", index_col="layer")
    sets2, sets3 = ((1 + column) / 2 for column in actions.T)
    expected = {
        "conv1": 14_112,
        "conv2": round(float(56_448 * sets2.mean())),
        "conv3": round(float((225_792 * sets2 * sets3).mean())),
        "decisions": pruned.network.macs,
    }
    assert frame["pruned"].to_dict() == expected | {"total": sum(expected.values())}
    assert report.after.macs == pytest.approx(sum(expected.values()) + 62_720, abs=2)
    assert f"{frame.loc['total', 'percent']:.2f} % of" in report.notes[0]
    assert "one test image" in report.notes[0]
    classes = pd.read_csv(run / "classes.csv")
    assert classes["images"].tolist() == np.bincount(labels).tolist()
    weighted = np.average(classes["accuracy"], weights=classes["images"])
    assert weighted == pytest.approx(report.after.test, abs=1e-4)


def test_the_exports_decide_as_the_model(run, report, pruned, splits):
    images, _ = splits.test_arrays(4)
    assert [export["format"] for export in report.exports] == ["saved_model", "tflite"]
    outputs, actions = (value.numpy() for value in pruned.decide(images))
    for name in EXPORTS:
        file = open_runtime(run / name)
        for number, image in enumerate(images):
            found = {value.dtype.kind: value for value in file([image[None]])}
            np.testing.assert_allclose(found["f"][0], outputs[number], atol=1e-3)
            np.testing.assert_array_equal(found["i"][0], actions[number])


def test_history_and_latency_tell_all(run, recording):
    steps = [("agent", number) for number in range(1, 6)]
    assert recording.told == [("recover 1/1", 1), *steps]
    history = pd.read_csv(run / "history.csv")
    assert history["episode"].tolist() == [1, 2, 3, 4, 5]
    assert {"step", "reward", "q_loss", "multiplications", "epsilon"} <= set(history)
    latency = pd.read_csv(run / "latency.csv")
    assert list(zip(latency["form"], latency["batch_size"], strict=True)) == [
        ("saved_model", 1), ("saved_model", 32), ("tflite", 1),
    ]  # fmt: skip
    assert (latency["dense_ms"] > 0).all() and (latency["pruned_ms"] > 0).all()


@pytest.mark.slow
def test_without_a_directory_and_test_data_the_report_is_of_the_validation_data(model, splits):
    x, y = splits.validation_arrays()
    task = Task((x, y), validation=(x, y[:, None]))
    result = method(episodes=1, balance=-10.0).run(model, task, seed=3)
    right = result.model.predict(x, verbose=0).argmax(axis=1) == y
    assert result.report.after.validation == pytest.approx(100 * right.mean())
    assert result.report.after.macs < result.report.before.macs
    assert "one validation image" in result.report.notes[0]


@pytest.mark.slow
def test_the_curve_has_all_kinds(tmp_path, model, splits):
    result = method(curve=True).run(model, Task(splits), seed=3, directory=tmp_path / "run")
    run, report = tmp_path / "run", result.report
    assert (run / "curve.svg").exists()
    curve = pd.read_csv(run / "curve.csv")
    assert curve["kind"].value_counts().to_dict() == {
        "balance": 7, "random": 7, "static": 3, "price": 2
    }  # fmt: skip
    balances = curve[curve["kind"] == "balance"].sort_values("value")
    assert balances["multiplications"].is_monotonic_increasing
    dealt = curve[curve["kind"] == "random"].sort_values("value")
    np.testing.assert_allclose(dealt["multiplications"], balances["multiplications"])
    at_0 = balances[balances["value"] == 0].iloc[0]
    assert at_0["accuracy"] == pytest.approx(report.after.test, abs=1e-4)
    static = curve[(curve["kind"] == "static") & (curve["value"] == 0)].iloc[0]
    assert static["multiplications"] <= at_0["multiplications"]
    images, _ = splits.test_arrays(8)  # the other agents are none of the result's
    saved = load_model(run / "pruned.keras")
    np.testing.assert_array_equal(saved.decide(images)[1], result.model.decide(images)[1])


def test_too_many_sets_are_refused_before_anything_is_written(tmp_path, model, splits):
    with pytest.raises(ConfigError, match="'conv2' has 4 channels. Received: 5"):
        method(sets=5).run(model, Task(splits), directory=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_network_without_convolutions_is_refused(splits):
    with pytest.raises(ModelError, match="no convolution to decide about"):
        method().run(zoo.lenet300_100(), Task(splits))


@pytest.mark.slow
def test_the_file_loads_where_the_room_was_not_imported(run):
    code = (
        "import sys; from keras_prune.runtimes.loading import load_model;"
        "assert 'keras_prune.methods.rnp' not in sys.modules;"
        "print(load_model(sys.argv[1]).name)"
    )
    path = str(run / "pruned.keras")
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "runtime_pruned"
