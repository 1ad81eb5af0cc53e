"""Whole runs: a configuration on the embedded digits, at once and stage by stage, and a task."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

from keras_prune import data, methods
from keras_prune.errors import ConfigError
from keras_prune.methods.config import load_run
from keras_prune.methods.experiment import run_from_config
from keras_prune.plan import PruningPlan
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.surgery import prune
from keras_prune.training import Task
from keras_prune.utils.config import read_toml

from .small import TRAINING, network, task
from .test_method import regression

pytestmark = pytest.mark.slow

SETTINGS = {
    "method": "magnitude",
    "common": {"model": "lenet300_100", "dataset": "digits", "batch_size": 32, "seed": 3},
    "train": {"epochs": 4, "learning_rate": 0.05},
    "prune": {"threshold": "global", "sparsity": 0.95, "steps": 2, "turns": 1},
    "recovery": {"epochs": 1, "learning_rate": 0.02},
    "finetune": {"epochs": 2, "learning_rate": 0.02},
}
CONFIG = load_run(SETTINGS)
FILES = {
    "baseline.keras", "bytes.csv", "config.toml", "files", "flops.csv", "history.csv",
    "layers.csv", "model.tflite", "parameters.csv", "plan.json", "pruned.keras", "report.json",
    "saved_model", "sizes.csv", "sparse.keras", "summary.csv", "tables.md", "training.csv",
    "training.svg",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("magnitude")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_PRUNE_CACHE", str(folder / "cache"))
        directory = RunDirectory.create(folder / "run")
        run_from_config(CONFIG, directory)
    return directory


@pytest.fixture(scope="module")
def report(run):
    return PruningReport.from_dict(json.loads((run / "report.json").read_text()))


def model(run, name) -> keras.Model:
    return keras.models.load_model(run / f"{name}.keras")


def test_the_run_directory_is_complete(run):
    assert {path.name for path in run.path.iterdir()} == FILES


def test_the_sparsity_is_what_was_asked_for(run, report):
    kernels = [w.numpy() for w in model(run, "sparse").weights if w.name == "kernel"]
    zeros = sum(int((kernel == 0).sum()) for kernel in kernels)
    assert abs(zeros - 0.95 * sum(kernel.size for kernel in kernels)) <= 1
    assert report.before.test > 85
    assert report.drop < 10


def test_the_report_is_that_of_the_files(run, report):
    splits = data.load("digits", input_shape=(28, 28, 1))
    for name, figures in (("baseline", report.before), ("pruned", report.after)):
        found = model(run, name)
        accuracy = Task(splits).bind(found).value(found, "test")
        assert accuracy == pytest.approx(figures.test, abs=1e-4)
        assert found.count_params() == figures.parameters
    assert report.after.parameters < report.before.parameters
    total = pd.read_csv(run / "parameters.csv").iloc[-1]
    assert report.notes[0].startswith(f"{total['after']:,} of 266,610 parameters are not zero")


def test_every_form_of_the_sparse_network_is_there(run):
    sizes = pd.read_csv(run / "sizes.csv").set_index("file")
    assert set(sizes.index) == {path.name for path in (run / "files").iterdir()}
    assert sizes.loc["packed.kpz", "times_smaller"] > 8
    assert sizes.loc["dense.tflite", "latency_us"] > 0
    assert sizes["accuracy"].min() > 70


def test_dead_neurons_left_and_nothing_else_changed(run):
    sparse = model(run, "sparse")
    images = np.random.default_rng(0).uniform(0, 255, (8, 28, 28, 1)).astype("float32")
    again = prune(sparse, PruningPlan.load(run / "plan.json"))
    for small in (model(run, "pruned"), again):
        np.testing.assert_allclose(small(images), sparse(images), rtol=1e-3, atol=1e-3)


def test_history_has_a_row_a_step(run):
    history = pd.read_csv(run / "history.csv")
    assert history["step"].tolist() == [1, 2]
    assert history["sparsity"].tolist() == pytest.approx([1 - 0.05**0.5, 0.95], abs=1e-4)
    assert list(history.columns[2:]) == ["pruned_value", "retrained_value"]
    stages = pd.read_csv(run / "training.csv")["stage"].unique().tolist()
    assert stages == ["train lenet300_100", "recover 1/2", "fine-tune"]


def test_the_resolved_configuration_makes_the_same_run(run):
    assert load_run(read_toml(run / "config.toml")) == CONFIG


@pytest.mark.slow
def test_stage_by_stage_gives_the_same_network(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(run.path.parent / "cache"))
    directory = RunDirectory.create(tmp_path / "staged")
    assert run_from_config(CONFIG, directory, stage="train") is None
    assert run_from_config(CONFIG, directory, stage="prune") is None
    assert not (directory / "sparse.keras").exists()
    assert run_from_config(CONFIG, directory, stage="test").after.test > 80
    pairs = zip(
        model(directory, "sparse").get_weights(), model(run, "sparse").get_weights(), strict=True
    )
    for staged, at_once in pairs:
        np.testing.assert_allclose(staged, at_once, atol=1e-5)


def test_a_layer_that_is_not_there_is_named_before_training(tmp_path):
    config = load_run(SETTINGS | {"prune": SETTINGS["prune"] | {"exclude": ["fc4"]}})
    with pytest.raises(ConfigError, match="Unknown layer in exclude 'fc4'"):
        run_from_config(config, RunDirectory.create(tmp_path / "run"))
    assert not (tmp_path / "run" / "baseline.keras").exists()


class _KilledError(Exception):
    pass


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_to_the_same_end(tmp_path, monkeypatch):
    method = methods.Magnitude(
        threshold="global", sparsity=0.9, steps=3, turns=0, recovery=TRAINING, finetune=TRAINING
    )
    unbroken = method.run(network(), task(), directory=tmp_path / "unbroken")
    step = methods.Magnitude.step

    def killed(self, context, state):
        if state.step == 2:
            raise _KilledError
        return step(self, context, state)

    monkeypatch.setattr(methods.Magnitude, "step", killed)
    with pytest.raises(_KilledError):
        method.run(network(), task(), directory=tmp_path / "killed")
    monkeypatch.undo()
    resumed = method.run(network(), task(), directory=tmp_path / "killed")
    assert resumed.report.resumed == 1
    assert len(resumed.report.notes) == 2  # what is left of the weights, and that it was killed
    for name in ("sparse", "pruned"):
        one, other = (
            model(RunDirectory(tmp_path / folder), name) for folder in ("unbroken", "killed")
        )
        assert one.get_layer("dropout").rate == other.get_layer("dropout").rate
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert unbroken.plan == resumed.plan


def test_a_regression_without_a_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    original, given = regression()
    before = original.get_weights()
    method = methods.Magnitude(rates={"hidden": 0.5}, recovery=TRAINING, finetune=TRAINING)
    result = method.run(original, given)
    assert result.report.objective == "mae"
    assert " of 97 parameters are not zero" in result.report.notes[0]
    assert not list(tmp_path.iterdir())
    for a, b in zip(before, original.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
