"""A whole run on the embedded digits, with a small network."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

from keras_prune import data
from keras_prune.errors import ConfigError
from keras_prune.methods.ranking import RankingConfig, RankingRecipe, run_recipe
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.surgery import prune
from keras_prune.utils.config import load, read_toml

SETTINGS = {
    "common": {"model": "conv248", "dataset": "digits", "batch_size": 32, "seed": 1},
    "train": {"epochs": 6, "learning_rate": 0.005},
    "prune": {
        "criterion": "taylor",
        "params": 0.5,
        "steps": 2,
        "images": 200,
        "exclude": ["conv1"],
    },
    "recovery": {"epochs": 1, "learning_rate": 0.005, "steps_per_epoch": 5},
    "finetune": {"epochs": 3, "learning_rate": 0.005},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranking")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_PRUNE_CACHE", str(folder / "cache"))
        run = RunDirectory.create(folder / "run")
        run_recipe(load(RankingRecipe, SETTINGS), run)
    return run


@pytest.fixture(scope="module")
def report(run):
    return PruningReport.from_dict(json.loads((run / "report.json").read_text()))


@pytest.fixture(scope="module")
def pruned(run):
    return keras.models.load_model(run / "pruned.keras")


def test_the_run_directory_is_complete(run):
    assert {path.name for path in run.path.iterdir()} == {
        "accuracy.svg", "baseline.keras", "config.toml", "history.csv", "layers.csv",
        "model.tflite", "plan.json", "pruned.keras", "report.json", "saved_model", "training.csv",
    }  # fmt: skip


def test_the_budget_is_kept_and_the_report_agrees_with_the_weights(report, pruned):
    assert report.method == "ranking"
    assert report.after.parameters == pruned.count_params() <= 0.5 * report.before.parameters
    assert report.after.macs == profile(pruned).total.macs
    assert report.after.accuracy > 60


def test_the_plan_leads_from_the_baseline_to_the_pruned_networks_shapes(run, pruned):
    plan = PruningPlan.load(run / "plan.json")
    again = prune(keras.models.load_model(run / "baseline.keras"), plan)
    assert [w.shape for w in again.weights] == [w.shape for w in pruned.weights]


def test_what_was_excluded_is_whole_and_said_so(report):
    kept = {group.name: (group.kept, group.channels) for group in report.groups}
    assert kept["conv1"] == (2, 2)
    assert "conv1" in {skipped.name for skipped in report.skipped}
    assert kept["conv3"][0] < 8


def test_history_has_a_row_per_step(run):
    assert pd.read_csv(run / "history.csv")["step"].tolist() == [1, 2]


def test_the_configuration_is_the_one_that_ran(run):
    assert load(RankingRecipe, read_toml(run / "config.toml")) == load(RankingRecipe, SETTINGS)


def test_scores_are_not_computed_on_validation_or_test_images(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        "keras_prune.criteria.Criterion.__call__",
        lambda self, graph, data=None: (
            seen.append(data)
            or {name: np.arange(group.channels) for name, group in graph.groups.items()}
        ),
    )
    run_recipe(load(RankingRecipe, SETTINGS), RunDirectory.create(tmp_path / "run"))
    splits = data.load("digits", input_shape=(28, 28, 1))
    np.testing.assert_array_equal(seen[0][0], splits.training_sample(200)[0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "one budget"),
        ({"macs": 0.5, "params": 0.5}, "one budget"),
        ({"macs": 1.5}, "macs"),
        ({"macs": 0.5, "criterion": "taylr"}, "Did you mean 'taylor'"),
        ({"macs": 0.5, "steps": 0}, "steps"),
        ({"macs": 0.5, "images": 0}, "images"),
    ],
)
def test_wrong_settings_are_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        RankingConfig(**options)
