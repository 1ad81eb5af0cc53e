"""A whole run on the embedded digits."""

import json
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from keras_prune import data
from keras_prune.config import load
from keras_prune.errors import ConfigError, ModelError
from keras_prune.loading import load_model
from keras_prune.methods.rnp import RNPConfig, RNPRecipe, run_recipe
from keras_prune.reporting import PruningReport, RunDirectory
from keras_prune.runtimes import open_runtime
from keras_prune.tracking import Tracker
from keras_prune.training import evaluate

SETTINGS = {
    "common": {"model": "conv248", "dataset": "digits", "batch_size": 32, "seed": 3},
    "train": {"epochs": 8, "learning_rate": 0.02},
    "finetune": {"epochs": 1, "learning_rate": 0.02, "steps_per_epoch": 20},
    "prune": {"sets": 2, "rounds": 1, "episodes": 5, "images": 128},
}
FILES = {
    "accuracy.svg", "actions.csv", "baseline.keras", "classes.csv", "config.toml", "examples.svg",
    "history.csv", "latency.csv", "learning.svg", "model.tflite",
    "multiplications.csv", "pruned.keras", "report.json", "saved_model", "training.csv",
}  # fmt: skip
RECIPE = load(RNPRecipe, SETTINGS)


@pytest.fixture(scope="module")
def steps():
    return []


@pytest.fixture(scope="module")
def run(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("rnp")
    tracker = Tracker()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_PRUNE_CACHE", str(folder / "cache"))
        patch.setattr(tracker, "step", lambda series, row: steps.append((series, row["episode"])))
        patch.setattr(tracker, "training", lambda stage, **how: steps.append((stage, 0)) or [])
        run = RunDirectory.create(folder / "run")
        run_recipe(RECIPE, run, tracker=tracker)
    return run


@pytest.fixture(scope="module")
def report(run):
    return PruningReport.from_dict(json.loads((run / "report.json").read_text()))


@pytest.fixture(scope="module")
def splits():
    return data.load("digits", input_shape=(28, 28, 1))


@pytest.fixture(scope="module")
def pruned(run):
    return load_model(run / "pruned.keras")


def test_writes_every_file(run):
    assert {path.name for path in run.path.iterdir()} == FILES


def test_the_saved_model_is_what_was_reported(report, pruned, splits):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    pruned.compile(loss=loss, metrics=["accuracy"])
    [*_, accuracy] = pruned.evaluate(splits.test, verbose=0)
    assert 100 * accuracy == pytest.approx(report.after.accuracy, abs=1e-4)
    with pytest.raises(ModelError, match="a model with a call\\(\\) of its own"):
        evaluate(pruned, splits.test)
    assert report.method == "rnp"
    assert report.skipped[0].name == "conv1"


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
    assert f"{frame.loc['total', 'percent']:.2f} %" in report.notes[0]
    classes = pd.read_csv(run / "classes.csv")
    assert classes["images"].tolist() == np.bincount(labels).tolist()
    weighted = np.average(classes["accuracy"], weights=classes["images"])
    assert weighted == pytest.approx(report.after.accuracy)


def test_the_exports_decide_as_the_model(run, report, pruned, splits):
    images, _ = splits.test_arrays(4)
    assert [export["format"] for export in report.exports] == ["saved_model", "tflite"]
    outputs, actions = (value.numpy() for value in pruned.decide(images))
    for name in ("saved_model", "model.tflite"):
        file = open_runtime(run / name)
        for number, image in enumerate(images):
            found = {value.dtype.kind: value for value in file([image[None]])}
            np.testing.assert_allclose(found["f"][0], outputs[number], atol=1e-3)
            np.testing.assert_array_equal(found["i"][0], actions[number])


def test_history_and_latency_tell_all(run, steps):
    trained = [("train conv248", 0), ("fine-tune, round 1", 0)]
    assert steps[:2] == trained
    assert steps[2:] == [("agent", number) for number in range(1, 6)]
    history = pd.read_csv(run / "history.csv")
    assert history["episode"].tolist() == [1, 2, 3, 4, 5]
    assert {"reward", "q_loss", "multiplications", "epsilon"} <= set(history)
    latency = pd.read_csv(run / "latency.csv")
    assert list(zip(latency["form"], latency["batch_size"], strict=True)) == [
        ("saved_model", 1), ("saved_model", 32), ("tflite", 1),
    ]  # fmt: skip
    assert (latency["dense_ms"] > 0).all() and (latency["pruned_ms"] > 0).all()


@pytest.mark.slow
def test_the_curve_has_all_kinds(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(tmp_path / "cache"))
    run = RunDirectory.create(tmp_path / "run")
    report = run_recipe(RECIPE, run, curve=True)
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
    assert at_0["accuracy"] == pytest.approx(report.after.accuracy)
    static = curve[(curve["kind"] == "static") & (curve["value"] == 0)].iloc[0]
    assert static["multiplications"] <= at_0["multiplications"]


def test_too_many_sets_are_refused_before_anything_is_trained(tmp_path):
    run = RunDirectory.create(tmp_path / "run")
    with pytest.raises(ConfigError, match="'conv2' has 4 channels. Received: 5"):
        run_recipe(replace(RECIPE, prune=RNPConfig(sets=5)), run)
    assert not any(run.path.iterdir())


def test_a_network_without_convolutions_is_refused(tmp_path):
    run = RunDirectory.create(tmp_path / "run")
    common = replace(RECIPE.common, model="lenet300_100")
    with pytest.raises(ModelError, match="no convolution to decide about"):
        run_recipe(replace(RECIPE, common=common), run)
    assert not any(run.path.iterdir())


def test_the_file_loads_where_the_room_was_not_imported(run):
    code = (
        "import sys; from keras_prune.loading import load_model;"
        "assert 'keras_prune.methods.rnp' not in sys.modules;"
        "print(load_model(sys.argv[1]).name)"
    )
    path = str(run / "pruned.keras")
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "runtime_pruned"
