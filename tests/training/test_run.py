"""`train` from the data to the report, killed and started again."""

import json

import keras
import pandas as pd
import pytest

from keras_prune.errors import ConfigError
from keras_prune.reporting import RunDirectory
from keras_prune.tracking import Observer, Observers
from keras_prune.training import (
    CommonConfig,
    TrainingConfig,
    TrainRecipe,
    evaluate,
    train,
)
from keras_prune.utils.config import load, read_toml

from .small import assert_same

COMMON = CommonConfig(model="conv248", dataset="digits", batch_size=256)
RECIPE = TrainRecipe(COMMON, TrainingConfig(epochs=2, learning_rate=0.02))


class Kill(Observer):
    """Ends the process after so many epochs."""

    def __init__(self, epochs):
        super().__init__("here")
        self._epochs = epochs

    def epoch(self, epoch):
        if epoch.number == self._epochs:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    run = RunDirectory.create(tmp_path_factory.mktemp("run"))
    return run, train(RECIPE, run)


def test_a_run_leaves_model_history_configuration_and_report(done):
    run, report = done
    names = {"config.toml", "history.csv", "model.keras", "report.json"}
    assert {path.name for path in run.path.iterdir()} == names
    assert load(TrainRecipe, read_toml(run / "config.toml")) == RECIPE
    history = pd.read_csv(run / "history.csv")
    assert report.figures.validation == pytest.approx(history["val_accuracy"].iloc[-1])
    assert report.figures.metrics == {"accuracy": report.figures.test, "loss": report.figures.loss}
    assert len(report.class_names) == 10


def test_a_run_that_is_done_returns_its_report(done):
    run, report = done
    watched = []
    again = train(RECIPE, run, observers=Observers(watcher=watched.append))
    assert again.figures == report.figures and again.seconds == report.seconds
    assert not watched


@pytest.mark.slow
def test_a_killed_run_goes_on_exactly(done, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CHECKPOINT_SECONDS", "0")
    run = RunDirectory.create(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train(RECIPE, run, observers=Observers([Kill(2)]))
    assert not (run / "report.json").exists() and (run / "state").is_dir()

    watched = []
    observers = Observers(watcher=lambda progress: watched.append(progress.done))
    report = train(RECIPE, RunDirectory.open(tmp_path), observers=observers)
    steps = watched[-1] // 2
    assert watched[0] > steps
    whole, unbroken = done
    assert report.figures == unbroken.figures
    assert (run / "history.csv").read_text() == (whole / "history.csv").read_text()
    saved = [keras.models.load_model(place / "model.keras") for place in (run, whole)]
    assert_same(*(model.get_weights() for model in saved))
    assert not (run / "state").exists()


@pytest.mark.slow
def test_what_another_configuration_left_is_not_gone_on_with(done, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CHECKPOINT_SECONDS", "0")
    run = RunDirectory.create(tmp_path)
    other = TrainRecipe(COMMON, TrainingConfig(epochs=2, learning_rate=0.5))
    with pytest.raises(KeyboardInterrupt):
        train(other, run, observers=Observers([Kill(1)]))
    assert train(RECIPE, run).figures == done[1].figures


def test_a_second_process_is_refused(tmp_path):
    run = RunDirectory.create(tmp_path)
    with run.locked(), pytest.raises(ConfigError, match="in use"):
        train(RECIPE, RunDirectory(tmp_path))


@pytest.mark.slow
def test_a_trained_file_is_trained_further(done, tmp_path):
    whole, report = done
    common = CommonConfig(
        model=str(whole / "model.keras"), dataset="digits", batch_size=256, augment=False
    )
    recipe = TrainRecipe(common, TrainingConfig(epochs=1, learning_rate=0.02))
    further = train(recipe, RunDirectory.create(tmp_path))
    assert further.figures.loss < report.figures.loss
    note = json.loads((tmp_path / "report.json").read_text())
    assert note["model"] == common.model
    model = keras.models.load_model(tmp_path / "model.keras")
    assert not model.compiled
    from keras_prune import data

    test = data.load("digits", input_shape=model.input_shape[1:], batch_size=256).test
    assert evaluate(model, test)["accuracy"] == pytest.approx(further.figures.test)
