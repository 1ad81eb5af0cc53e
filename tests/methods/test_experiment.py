"""A whole run from a configuration, from the data to the report."""

import json
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from keras_prune import data, zoo
from keras_prune.errors import ConfigError, ResultWarning
from keras_prune.methods import experiment
from keras_prune.methods.config import load_run
from keras_prune.methods.experiment import method_of, run_from_config
from keras_prune.plan import PruningPlan
from keras_prune.profiling import profile
from keras_prune.reporting import RunDirectory
from keras_prune.surgery import prune
from keras_prune.tracking import Observers
from keras_prune.utils.config import override, read_toml

from .tiny import assert_same_weights

CONFIG = load_run(
    {
        "method": "ranking",
        "common": {"model": "conv248", "dataset": "digits", "batch_size": 32, "seed": 1},
        "train": {"epochs": 6, "learning_rate": 0.005},
        "prune": {
            "criterion": "taylor",
            "params": 0.5,
            "steps": 2,
            "calibration_images": 200,
            "exclude": ["conv1"],
        },
        "recovery": {"epochs": 1, "learning_rate": 0.005, "steps_per_epoch": 5},
        "finetune": {"epochs": 3, "learning_rate": 0.005},
        "distillation": {},
    }
)
FILES = {
    "scores.json",
    "baseline.keras", "config.toml", "history.csv", "layers.csv", "model.tflite", "plan.json",
    "pruned.keras", "report.json", "saved_model", "training.csv", "training.svg",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_PRUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return RunDirectory.create(tmp_path_factory.mktemp("experiment") / "run")


@pytest.fixture(scope="module")
def report(folder):
    return run_from_config(CONFIG, folder)


@pytest.fixture(scope="module")
def pruned(folder, report):
    return keras.models.load_model(folder / "pruned.keras")


def test_the_directory_is_complete(folder, report):
    assert {path.name for path in folder.path.iterdir()} == FILES
    assert json.loads(json.dumps(report.to_dict())) == json.loads(
        (folder / "report.json").read_text()
    )


def test_the_configuration_is_the_one_that_ran(folder, report):
    assert load_run(read_toml(folder / "config.toml")) == CONFIG
    assert (report.method, report.model, report.dataset) == ("ranking", "conv248", "digits")
    assert report.config["train"]["epochs"] == 6
    assert report.seed == 1


def test_the_budget_is_kept_and_the_report_agrees_with_the_weights(report, pruned):
    assert report.after.parameters == pruned.count_params() <= 0.5 * report.before.parameters
    assert report.after.macs == profile(pruned).total.macs
    images, labels = data.load("digits", input_shape=(28, 28, 1)).test_arrays()
    right = pruned.predict(images, verbose=0).argmax(axis=1) == labels
    assert report.after.test == pytest.approx(100 * right.mean())
    assert report.after.test > 60


def test_the_plan_leads_from_the_baseline_to_the_pruned_networks_shapes(folder, pruned):
    plan = PruningPlan.load(folder / "plan.json")
    again = prune(keras.models.load_model(folder / "baseline.keras"), plan)
    assert [w.shape for w in again.weights] == [w.shape for w in pruned.weights]


def test_what_was_excluded_is_whole_and_said_so(report):
    kept = {group.name: (group.kept, group.channels) for group in report.groups}
    assert kept["conv1"] == (2, 2)
    assert "conv1" in {skipped.name for skipped in report.skipped}
    assert kept["conv3"][0] < 8


def test_the_trainings_are_written_and_the_baselines_first(folder, report):
    stages = pd.read_csv(folder / "training.csv")["stage"].tolist()
    assert stages == ["train conv248"] * 6 + ["recover 1/2"] + ["fine-tune"] * 3
    assert pd.read_csv(folder / "history.csv")["step"].tolist() == [1, 2]


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"a,b\n1,2\n", b'"'])
def test_a_damaged_table_of_trainings_is_told_and_no_traceback(content, tmp_path):
    run = RunDirectory.create(tmp_path / "run")
    assert experiment._earlier(run) == []
    (run / "training.csv").write_bytes(content)
    with pytest.warns(ResultWarning, match=r"training\.csv is damaged"):
        assert experiment._earlier(run) == []
    (run / "training.csv").write_text("stage,epoch,note\ntrain x,1,\nfine-tune,1,\n")
    assert experiment._earlier(run) == [{"stage": "train x", "epoch": 1}]


class Killed(BaseException):
    """A process that ends in the middle of its work."""


def die_in_the_recovery(progress):
    if progress.stage == "recover 1/2":
        raise Killed


@pytest.mark.slow
def test_stage_after_stage_and_killed_in_one_is_the_whole_run(folder, report, pruned, tmp_path):
    run = RunDirectory.create(tmp_path / "run")
    with pytest.raises(ConfigError, match=r"Stage prune starts from .*Run --stage train first"):
        run_from_config(CONFIG, run, stage="prune")
    assert run_from_config(CONFIG, run, stage="train") is None
    with pytest.raises(ConfigError, match=r"Stage test starts from .*Run --stage prune first"):
        run_from_config(CONFIG, run, stage="test")
    with pytest.raises(Killed):
        run_from_config(
            CONFIG, run, stage="prune", observers=Observers(watcher=die_in_the_recovery)
        )
    run = RunDirectory.existing(run.path)
    assert run_from_config(CONFIG, run, stage="prune") is None
    assert not (run / "report.json").exists()
    again = run_from_config(CONFIG, run, stage="test")
    assert (again.before, again.after) == (report.before, report.after)
    assert again.resumed == 2  # killed once, and begun anew for the test
    assert_same_weights(keras.models.load_model(run / "pruned.keras"), pruned)
    for name in ("training.csv", "history.csv", "config.toml"):
        assert (run / name).read_text() == (folder / name).read_text()
    assert {path.name for path in run.path.iterdir()} == FILES


def test_a_request_that_cannot_be_carried_out_trains_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_prune.methods.experiment.baseline", None)
    run = RunDirectory.create(tmp_path / "run")
    with pytest.raises(ConfigError, match="Unknown layer or group to exclude"):
        run_from_config(override(CONFIG, {"prune.exclude": ["nothing"]}), run)


def test_a_configuration_asks_the_baseline_and_the_method_for_a_fixed_order(tmp_path, monkeypatch):
    asked = []

    def trained(name, splits, *_, deterministic, **__):
        asked.append(deterministic)
        return zoo.build(name, splits.input_shape, splits.num_classes), []

    monkeypatch.setattr("keras_prune.methods.experiment.baseline", trained)
    monkeypatch.setattr(
        "keras_prune.methods.experiment.run_method",
        lambda *_, deterministic, **__: asked.append(deterministic),
    )
    config = override(CONFIG, {"common.deterministic": True})
    assert run_from_config(config, RunDirectory.create(tmp_path)) is None
    assert asked == [True, True]


def test_a_method_has_the_trainings_of_its_configuration():
    made = method_of(CONFIG)
    assert (made.config, made.recovery, made.finetune, made.distillation) == (
        CONFIG.prune, CONFIG.recovery, CONFIG.finetune, CONFIG.distillation
    )  # fmt: skip


@pytest.mark.slow
def test_given_weights_are_not_trained_and_scores_see_training_images_alone(
    folder, report, tmp_path, monkeypatch
):
    seen = []

    def score(self, graph, data=None):
        seen.append(data)
        return {name: np.arange(group.channels) for name, group in graph.groups.items()}

    monkeypatch.setattr("keras_prune.criteria.Criterion.__call__", score)
    run, quick = RunDirectory.create(tmp_path / "run"), {"prune.steps": 1, "finetune.epochs": 1}
    again = run_from_config(override(CONFIG, quick), run, weights=folder / "baseline.keras")
    assert again.before == report.before
    assert pd.read_csv(run / "training.csv")["stage"].tolist() == ["fine-tune"]
    splits = data.load("digits", input_shape=(28, 28, 1))
    [(images, labels)] = seen
    for found, expected in zip((images, labels), splits.training_sample(200), strict=True):
        np.testing.assert_array_equal(found, expected)


OLD = Path(__file__).parents[1] / "files" / "v0_1" / "finished"


def test_a_search_that_version_0_1_has_left_is_not_gone_on_with(tmp_path):
    directory = RunDirectory.create(tmp_path / "run")
    (directory / "search").mkdir()
    (directory / "search" / "state.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"begun with version 0\.1"):
        run_from_config(CONFIG, directory)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    "name", ["taylor", pytest.param("rl-pruner", marks=pytest.mark.slow), "lenet300-100"]
)
def test_what_version_0_1_ran_can_be_run_again_but_not_taken_for_todays(name, tmp_path):
    config = load_run(read_toml(OLD / name / "config.toml"))
    assert PruningPlan.load(OLD / name / "plan.json").fingerprint
    directory = RunDirectory(tmp_path)
    directory.write_text("report.json", (OLD / name / "report.json").read_text())
    with pytest.raises(ConfigError, match="no account of what it was made with"):
        run_from_config(config, directory)


def test_a_former_configuration_is_told_of_and_taken():
    with pytest.warns(FutureWarning) as told:
        config = load_run(read_toml(OLD / "taylor" / "config.toml"))
    assert 'add method = "ranking" on top' in str(told[0].message)
    assert config.method == "ranking" and config.prune.calibration_images > 0
