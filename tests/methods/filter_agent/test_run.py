"""A whole run on the embedded digits, with a network small enough for every test run."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_prune import data
from keras_prune.config import load, read_toml
from keras_prune.methods.filter_agent import FilterAgentRecipe, run_recipe
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.surgery import prune
from keras_prune.training import evaluate

SETTINGS = {
    "common": {"model": "lenet5", "dataset": "digits", "batch_size": 32, "seed": 3},
    "train": {"epochs": 4, "learning_rate": 0.05},
    "prune": {"b": 4.0, "images": 200, "max_steps": 8, "rounds": 2},
    "recovery": {"epochs": 1, "learning_rate": 0.02, "steps_per_epoch": 10},
    "finetune": {"epochs": 2, "learning_rate": 0.02},
}
FILES = {
    "baseline.keras", "config.toml", "history.csv", "model.tflite", "plan.json", "pruned.keras",
    "report.json", "saved_model",
}  # fmt: skip


@pytest.fixture(scope="module")
def test_reads():
    """The splits that were read, in order; a module-wide patch that lasts for the run below."""
    return []


@pytest.fixture(scope="module")
def run(tmp_path_factory, test_reads):
    folder = tmp_path_factory.mktemp("filter_agent")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_PRUNE_CACHE", str(folder / "cache"))
        read = data.Splits.test.fget
        patch.setattr(
            data.Splits, "test", property(lambda self: test_reads.append(1) or read(self))
        )
        run = RunDirectory.create(folder / "run")
        run_recipe(load(FilterAgentRecipe, SETTINGS), run)
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


def test_history_is_a_table_of_steps(run):
    header, *rows = (run / "history.csv").read_text().splitlines()
    assert header.split(",") == [
        "round", "group", "step", "slack", "reward", "best_reward", "kept", "best_kept", "channels",
    ]  # fmt: skip
    assert np.all([len(row.split(",")) == len(header.split(",")) for row in rows])
    assert {row.split(",")[0] for row in rows} == {"1", "2"}
