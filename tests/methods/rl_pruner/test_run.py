"""A whole run on the embedded digits; and one that is killed and resumed."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

from keras_prune import data
from keras_prune.errors import ConfigError
from keras_prune.methods.rl_pruner import RLPruner, RLPrunerRecipe, resume, run_recipe
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.training import evaluate
from keras_prune.utils.config import load

SETTINGS = {
    "common": {"model": "lenet5", "dataset": "digits", "batch_size": 32, "seed": 3},
    "train": {"epochs": 3, "learning_rate": 0.05},
    "prune": {"macs": 0.4, "stages": 2, "samples": 4, "images": 100, "depth": 2},
    "recovery": {"epochs": 1, "learning_rate": 0.02, "steps_per_epoch": 10},
    "finetune": {"epochs": 2, "learning_rate": 0.02},
    "distillation": {},
}
FILES = {
    "accuracy.svg", "baseline.keras", "config.toml", "distribution.csv", "distribution.svg",
    "history.csv", "layers.csv", "model.tflite", "plan.json", "pruned.keras", "report.json",
    "saved_model", "search", "training.csv",
}  # fmt: skip
RECIPE = load(RLPrunerRecipe, SETTINGS)


@pytest.fixture(scope="module")
def test_reads():
    return []


@pytest.fixture(scope="module")
def run(tmp_path_factory, test_reads):
    folder = tmp_path_factory.mktemp("rl_pruner")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_PRUNE_CACHE", str(folder / "cache"))
        read = data.Splits.test.fget
        patch.setattr(
            data.Splits, "test", property(lambda self: test_reads.append(1) or read(self))
        )
        run = RunDirectory.create(folder / "run")
        run_recipe(RECIPE, run)
    return run


@pytest.fixture(scope="module")
def report(run):
    return PruningReport.from_dict(json.loads((run / "report.json").read_text()))


def test_writes_every_file_and_reads_the_test_split_once(run, test_reads):
    assert {path.name for path in run.path.iterdir()} == FILES
    assert test_reads == [1]


def test_keeps_to_the_budget_and_reports_what_the_weights_say(run, report):
    small = keras.models.load_model(run / "pruned.keras")
    assert 0.35 * report.before.macs <= report.after.macs <= 0.4 * report.before.macs
    assert report.after.macs == profile(small).total.macs
    splits = data.load("digits", input_shape=(28, 28, 1))
    assert report.after.accuracy == evaluate(small, splits.test).accuracy
    kept = {group.name: group.kept for group in report.groups}
    assert kept == {n: len(c) for n, c in PruningPlan.load(run / "plan.json").kept.items()}
    assert (report.method, report.notes) == ("rl_pruner", ())
    assert report.after.accuracy > 85


def test_the_distribution_is_written_by_stage(run):
    frame = pd.read_csv(run / "distribution.csv")
    assert frame["stage"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(frame.drop(columns="stage").sum(axis=1), 1)
    history = pd.read_csv(run / "history.csv")
    assert history["stage"].tolist() == [1, 1, 2, 2]


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", ["in the first stage", "in the last stage", "in fine-tuning"])
def test_killed_and_resumed_is_not_killed(run, report, tmp_path, monkeypatch, moment):
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(run.path.parent / "cache"))
    killed = RunDirectory.create(tmp_path / "run")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill(patch, moment)
        run_recipe(RECIPE, killed)
    resume(RunDirectory.existing(killed.path))

    after = PruningReport.from_dict(json.loads((killed / "report.json").read_text()))
    assert after.groups == report.groups
    assert after.after == report.after
    for name in ("distribution.csv", "history.csv", "training.csv"):
        assert (killed / name).read_text() == (run / name).read_text()
    stage = {"in the first stage": 0, "in the last stage": 1, "in fine-tuning": 2}[moment]
    assert after.notes == (f"The run was killed and went on after stage {stage}.",)


def kill(patch, moment):
    """Ends a run like a signal: in the middle of a stage after its training, or in the last."""
    from keras_prune.methods.run import PruningRun

    advance, fit, stages = RLPruner.advance, PruningRun.fit, {"first": 1, "last": 2}

    def dying(self, state):
        after = advance(self, state)
        if after.stage == stages.get(moment.split()[-2]):
            raise Killed
        return after

    def stopping(self, model, config, stage, **options):
        if stage == "fine-tune":
            raise Killed
        fit(self, model, config, stage, **options)

    if moment == "in fine-tuning":
        patch.setattr(PruningRun, "fit", stopping)
    else:
        patch.setattr(RLPruner, "advance", dying)


def test_what_is_no_run_cannot_be_resumed(tmp_path):
    with pytest.raises(ConfigError, match="Expected the directory of a run"):
        RunDirectory.existing(tmp_path)
