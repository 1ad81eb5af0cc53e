"""Whole runs on the embedded digits: at once, and stage by stage."""

import json
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from keras_prune import data
from keras_prune.config import load, read_toml
from keras_prune.errors import ConfigError, ModelError
from keras_prune.methods.magnitude import MagnitudeRecipe, run_recipe
from keras_prune.plan import PruningPlan
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.surgery import prune
from keras_prune.training import evaluate

SETTINGS = {
    "common": {"model": "lenet300_100", "dataset": "digits", "batch_size": 32, "seed": 3},
    "train": {"epochs": 4, "learning_rate": 0.05},
    "prune": {
        "threshold": "global",
        "sparsity": 0.95,
        "iterations": 2,
        "retrain": {"epochs": 1, "learning_rate": 0.02},
        "final": {"epochs": 2, "learning_rate": 0.02},
    },
    "test": {"turns": 1},
}
RECIPE = load(MagnitudeRecipe, SETTINGS)
FILES = {
    "accuracy.svg", "baseline.keras", "bytes.csv", "config.toml", "files", "flops.csv",
    "history.csv", "layers.csv", "model.tflite", "parameters.csv", "plan.json", "pruned.keras",
    "report.json", "saved_model", "sizes.csv", "sparse.keras", "summary.csv", "tables.md",
    "training.csv",
}  # fmt: skip


@pytest.fixture(scope="module")
def test_reads():
    return []


@pytest.fixture(scope="module")
def run(tmp_path_factory, test_reads):
    folder = tmp_path_factory.mktemp("magnitude")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_PRUNE_CACHE", str(folder / "cache"))
        read = data.Splits.test.fget
        patch.setattr(
            data.Splits, "test", property(lambda self: test_reads.append(1) or read(self))
        )
        directory = RunDirectory.create(folder / "run")
        run_recipe(RECIPE, directory)
    return directory


@pytest.fixture(scope="module")
def report(run):
    return PruningReport.from_dict(json.loads((run / "report.json").read_text()))


def model(run, name) -> keras.Model:
    return keras.models.load_model(run / f"{name}.keras")


def test_the_run_directory_is_complete(run):
    assert {path.name for path in run.path.iterdir()} == FILES


def test_the_test_split_is_read_once(run, test_reads):
    assert len(test_reads) == 1


def test_the_sparsity_is_what_was_asked_for(run, report):
    kernels = [w.numpy() for w in model(run, "sparse").weights if w.name == "kernel"]
    zeros = sum(int((kernel == 0).sum()) for kernel in kernels)
    assert abs(zeros - 0.95 * sum(kernel.size for kernel in kernels)) <= 1
    assert report.before.accuracy > 85
    assert report.accuracy_drop < 10


def test_the_report_is_that_of_the_files(run, report):
    splits = data.load("digits", input_shape=(28, 28, 1))
    for name, figures in (("baseline", report.before), ("pruned", report.after)):
        accuracy = evaluate(model(run, name), splits.test).accuracy
        assert accuracy == pytest.approx(figures.accuracy, abs=1e-4)
        assert model(run, name).count_params() == figures.parameters
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


def test_history_has_a_row_an_iteration(run):
    history = pd.read_csv(run / "history.csv")
    assert history["iteration"].tolist() == [1, 2]
    assert history["sparsity"].tolist() == pytest.approx([1 - 0.05**0.5, 0.95], abs=1e-4)
    stages = pd.read_csv(run / "training.csv")["stage"].unique().tolist()
    assert stages == ["train lenet300_100", "retrain 1/2", "retrain 2/2"]


def test_the_resolved_configuration_makes_the_same_recipe(run):
    assert load(MagnitudeRecipe, read_toml(run / "config.toml")) == RECIPE


def test_stage_by_stage_gives_the_same_network(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(run.path.parent / "cache"))
    directory = RunDirectory.create(tmp_path / "staged")
    assert run_recipe(RECIPE, directory, stages=["train"]) is None
    _kill_while_pruning(directory)
    assert run_recipe(RECIPE, directory, stages=["prune"]) is None
    for a, b in zip(
        model(directory, "sparse").get_weights(), model(run, "sparse").get_weights(), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert run_recipe(RECIPE, directory, stages=["test"]).after.accuracy > 80
    trainings = [pd.read_csv(each / "training.csv") for each in (run, directory)]
    pd.testing.assert_frame_equal(*trainings, rtol=1e-3)
    assert "retrain 2/2" in (directory / "accuracy.svg").read_text()


def _kill_while_pruning(directory):
    """Leaves `training.csv` as a stage that was killed after its first retraining does."""
    rows = pd.read_csv(directory / "training.csv")
    partial = rows.tail(1).assign(stage="retrain 1/2", epoch=1)
    directory.write_frame("training.csv", pd.concat([rows, partial]))


@pytest.mark.parametrize(
    ("stage", "file"),
    [("train", "baseline.keras"), ("prune", "sparse.keras"), ("test", "report.json")],
)
def test_a_stage_overwrites_nothing(run, stage, file):
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    with pytest.raises(ConfigError, match=f"{file} exists already, and a run is never overwritten"):
        run_recipe(RECIPE, run, stages=[stage])
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


@pytest.mark.parametrize(
    ("stage", "message"),
    [("prune", "baseline.keras, which does not exist. Run --stage train first."),
     ("test", "sparse.keras, which does not exist. Run --stage prune first.")],
)  # fmt: skip
def test_a_stage_needs_the_one_before(stage, message, tmp_path):
    with pytest.raises(ConfigError) as error:
        run_recipe(RECIPE, RunDirectory(tmp_path), stages=[stage])
    assert message in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_layer_that_is_not_there_is_named_before_training(tmp_path):
    recipe = replace(RECIPE, prune=replace(RECIPE.prune, exclude=("fc4",)))
    with pytest.raises(ConfigError, match="Unknown layer in exclude 'fc4'"):
        run_recipe(recipe, RunDirectory.create(tmp_path / "run"))
    assert not list((tmp_path / "run").iterdir())


def test_another_backend_is_told_what_works_there(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ModelError, match=r"Keras on jax. Channel pruning \(kp.prune with"):
        run_recipe(RECIPE, RunDirectory.create(tmp_path / "run"))
    assert not list((tmp_path / "run").iterdir())


def test_a_checkpoint_that_is_not_there_is_named(tmp_path):
    recipe = replace(RECIPE, common=replace(RECIPE.common, weights="absent.keras"))
    with pytest.raises(ModelError, match=r"absent.keras does not exist"):
        run_recipe(recipe, RunDirectory.create(tmp_path / "run"))
