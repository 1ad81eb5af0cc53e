"""A whole run on the embedded digits, with a network small enough for every test run."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest

from keras_prune import data
from keras_prune.config import load, read_toml
from keras_prune.methods.filter_agent import FilterAgentRecipe, run_recipe
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.surgery import prune
from keras_prune.tracking import Recorder, Tracker
from keras_prune.training import DistillationConfig, evaluate

SETTINGS = {
    "common": {"model": "lenet5", "dataset": "digits", "batch_size": 32, "seed": 3},
    "train": {"epochs": 4, "learning_rate": 0.05},
    "prune": {"b": 4.0, "images": 200, "max_steps": 8, "rounds": 2},
    "recovery": {"epochs": 1, "learning_rate": 0.02, "steps_per_epoch": 10},
    "finetune": {"epochs": 2, "learning_rate": 0.02},
}
FILES = {
    "accuracy.svg", "baseline.keras", "config.toml", "history.csv", "layers.csv", "model.tflite",
    "plan.json", "pruned.keras", "report.json", "saved_model", "training.csv",
}  # fmt: skip


@pytest.fixture(scope="module")
def test_reads():
    """The splits that were read, in order; a module-wide patch that lasts for the run below."""
    return []


class Told(Recorder):
    """Remembers what it is told."""

    def __init__(self):
        super().__init__("here")
        self.epochs, self.steps, self.figures = [], [], None

    def epoch(self, epoch):
        self.epochs.append(epoch)

    def step(self, series, step, figures):
        self.steps.append((series, step, figures))

    def final(self, before, after):
        self.figures = before, after


@pytest.fixture(scope="module")
def told():
    return Told()


@pytest.fixture(scope="module")
def run(tmp_path_factory, test_reads, told):
    folder = tmp_path_factory.mktemp("filter_agent")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_PRUNE_CACHE", str(folder / "cache"))
        read = data.Splits.test.fget
        patch.setattr(
            data.Splits, "test", property(lambda self: test_reads.append(1) or read(self))
        )
        run = RunDirectory.create(folder / "run")
        run_recipe(load(FilterAgentRecipe, SETTINGS), run, tracker=Tracker([told]))
    return run


@pytest.fixture(scope="module")
def report(run):
    return PruningReport.from_dict(json.loads((run / "report.json").read_text()))


def test_the_run_directory_is_complete(run):
    assert {path.name for path in run.path.iterdir()} == FILES


def test_it_prunes_and_keeps_to_b(report):
    assert report.after.macs < 0.9 * report.before.macs
    assert report.before.validation_accuracy - report.after.validation_accuracy <= 4.0
    assert report.before.accuracy > 85


def test_the_test_split_is_read_once(run, test_reads):
    assert len(test_reads) == 1


def test_the_reported_figures_are_those_of_the_files(run, report):
    splits = data.load("digits", input_shape=(28, 28, 1))
    for name, figures in (("baseline", report.before), ("pruned", report.after)):
        model = keras.models.load_model(run / f"{name}.keras")
        assert evaluate(model, splits.test).accuracy == pytest.approx(figures.accuracy, abs=1e-4)
        assert model.count_params() == figures.parameters
        assert profile(model).total.macs == figures.macs
    kept = {group.name: group.kept for group in report.groups}
    assert kept["conv1"] == keras.models.load_model(run / "pruned.keras").get_layer("conv1").filters


def test_the_plan_replays_on_the_baseline(run):
    baseline = keras.models.load_model(run / "baseline.keras")
    replayed = prune(baseline, PruningPlan.load(run / "plan.json"))
    pruned = keras.models.load_model(run / "pruned.keras")
    assert [w.shape for w in replayed.weights] == [w.shape for w in pruned.weights]


def test_the_exports_were_verified(report):
    assert {exported["format"] for exported in report.exports} == {"saved_model", "tflite"}
    assert all(exported["max_abs_error"] < 1e-3 for exported in report.exports)


def test_the_resolved_configuration_makes_the_same_recipe(run):
    recipe = load(FilterAgentRecipe, SETTINGS)
    assert load(FilterAgentRecipe, read_toml(run / "config.toml")) == recipe


def test_one_seed_gives_one_plan(run, tmp_path):
    again = RunDirectory.create(tmp_path / "again")
    run_recipe(load(FilterAgentRecipe, SETTINGS), again, weights=run / "baseline.keras")
    assert (again / "plan.json").read_text() == (run / "plan.json").read_text()


def test_every_training_and_every_step_is_tracked(run, told, report):
    baseline = [epoch for epoch in told.epochs if not epoch.pruned]
    pruned = [epoch for epoch in told.epochs if epoch.pruned]
    assert [(epoch.stage, epoch.step) for epoch in baseline] == [
        ("train lenet5", step) for step in range(1, 5)
    ]
    assert [epoch.step for epoch in pruned] == list(range(1, len(pruned) + 1))
    assert {"recover conv1", "fine-tune"} <= {epoch.stage for epoch in pruned}
    for epoch in told.epochs:
        assert set(epoch.row) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    rows = pd.read_csv(run / "history.csv")
    assert [(series, figures["reward"]) for series, _, figures in told.steps] == [
        (row.group, pytest.approx(row.reward)) for row in rows.itertuples()
    ]
    before, after = told.figures
    assert before["test_accuracy"] == report.before.accuracy
    assert after["parameters"] == report.after.parameters


def test_fine_tuning_may_learn_from_the_unpruned_network(run, tmp_path, monkeypatch):
    from keras_prune.methods import run as stages

    asked, fit = [], stages.fit
    monkeypatch.setattr(stages, "fit", lambda *a, **k: asked.append(k) or fit(*a, **k))
    short = {
        "prune": {"b": 50.0, "images": 64, "max_steps": 1},
        "finetune": {"epochs": 1, "learning_rate": 0.02},
        "distillation": {"temperature": 2.0, "alpha": 0.9},
    }
    recipe = load(FilterAgentRecipe, SETTINGS | short)
    again = RunDirectory.create(tmp_path / "again")
    run_recipe(recipe, again, weights=run / "baseline.keras")
    assert {call["stage"].split()[0] for call in asked} == {"recover", "fine-tune"}
    assert {call["distillation"] for call in asked} == {DistillationConfig(2.0, 0.9)}
    original = keras.models.load_model(run / "baseline.keras").get_weights()
    for call in asked:
        for ours, theirs in zip(original, call["teacher"].get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert load(FilterAgentRecipe, read_toml(again / "config.toml")) == recipe


def test_the_pruned_model_loads_without_this_package(run):
    code = (
        "import sys, keras, numpy as np;"
        f"model = keras.models.load_model({str(run / 'pruned.keras')!r});"
        "assert 'keras_prune' not in sys.modules;"
        "print(model(np.ones((2, 28, 28, 1), 'float32')).shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        check=True,
    )
    assert "(2, 10)" in done.stdout


def test_every_training_is_a_table_of_epochs(run, told):
    rows = pd.read_csv(run / "training.csv")
    assert list(rows["stage"][:4]) == ["train lenet5"] * 4
    assert list(rows["stage"][-2:]) == ["fine-tune 2"] * 2
    assert list(rows["val_accuracy"]) == [
        pytest.approx(epoch.row["val_accuracy"]) for epoch in told.epochs
    ]


def test_history_is_a_table_of_steps(run):
    header, *rows = (run / "history.csv").read_text().splitlines()
    assert header.split(",") == [
        "round", "group", "step", "slack", "reward", "best_reward", "kept", "best_kept", "channels",
    ]  # fmt: skip
    assert np.all([len(row.split(",")) == len(header.split(",")) for row in rows])
    assert {row.split(",")[0] for row in rows} == {"1", "2"}
