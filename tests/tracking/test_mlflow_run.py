"""Runs recorded by a real MLflow server, read back through its client."""

import os
import re
import socket
import sys
import time
import traceback
from pathlib import Path

import keras
import pandas as pd
import pytest

from keras_prune import data, zoo
from keras_prune.errors import ConfigError
from keras_prune.reporting import ModelFigures, RunDirectory
from keras_prune.tracking import MlflowRun, Observers
from keras_prune.training import TrainingConfig, fit

mlflow = pytest.importorskip("mlflow")

CONFIG = {"prune": {"b": 1.0, "exclude": ()}, "common": {"seed": 3, "data": None}}
TRAINING = TrainingConfig(epochs=3, learning_rate=0.01, steps_per_epoch=2)
SECRET = "s3cret"
BEFORE = ModelFigures(98.0, 0.1, 97.0, 100, 200, 400, 800)
AFTER = ModelFigures(96.0, 0.2, 95.0, 50, 100, 200, 400)


def small_run(folder, observer, warnings, callbacks=()):
    """What a recipe does, in small: train, take a step, fine-tune, report. Returns all rows."""
    splits = data.load("digits", input_shape=(28, 28, 1))
    run, model, rows = RunDirectory.create(folder), zoo.lenet5(), []
    with Observers([observer], warn=warnings.append).run(run.path, CONFIG) as told:
        for stage, pruned in (("train", False), ("tune", True), ("tune", True)):
            recording = [*callbacks, *told.training(stage, pruned=pruned)]
            done = fit(model, splits, TRAINING, seed=0, callbacks=recording, validate=True)
            rows.append(done.rows)
            told.step("conv1", {"reward": 0.5})
            run.write_frame("history.csv", pd.DataFrame([row for part in rows for row in part]))
        run.write_json("plan.json", {"kept": [1]})
        told.final(BEFORE, AFTER)
    return rows


def find(uri, name):
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("keras-prune")
    (run,) = client.search_runs([experiment.experiment_id], f"run_name = '{name}'")
    return client, run


def points(client, run, name):
    """(step, value) of a metric, in the order of the steps."""
    history = client.get_metric_history(run.info.run_id, name)
    return sorted((point.step, point.value) for point in history)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_is_read_back_whole(server, tmp_path, capfd):
    warnings = []
    environment = dict(os.environ) | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    train, first, second = small_run(tmp_path / "whole", MlflowRun(server.start()), warnings)
    assert (warnings, capfd.readouterr()) == ([], ("", ""))
    assert dict(os.environ) == environment

    client, run = find(server.start(), "whole")
    assert run.info.status == "FINISHED"
    assert run.data.params == {"prune.b": "1.0", "prune.exclude": "()", "common.seed": "3"}
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        named = name if name.startswith("val_") else f"train_{name}"
        assert points(client, run, named) == [(row["epoch"], row[name]) for row in train]
        assert points(client, run, f"{named}-pruned_model") == [
            (step + 1, row[name]) for step, row in enumerate([*first, *second])
        ]
    assert points(client, run, "reward/conv1") == [(1, 0.5), (2, 0.5), (3, 0.5)]
    assert run.data.metrics["test_accuracy"] == 98.0
    assert run.data.metrics["test_accuracy-pruned_model"] == 96.0
    for name in ("parameters", "macs", "flops", "bytes"):
        assert run.data.metrics[name] == getattr(BEFORE, name)
        assert run.data.metrics[f"{name}-pruned_model"] == getattr(AFTER, name)
    for name in ("history.csv", "plan.json"):
        copy = client.download_artifacts(run.info.run_id, name, str(tmp_path))
        assert Path(copy).read_text() == (tmp_path / "whole" / name).read_text()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_servers_death_between_two_epochs_ends_nothing(server, tmp_path):
    def kill(epoch, logs):
        if epoch == 1:
            server.kill()

    warnings = []
    death = keras.callbacks.LambdaCallback(on_epoch_end=kill)
    rows = small_run(tmp_path / "orphan", MlflowRun(server.start()), warnings, [death])
    assert [len(part) for part in rows] == [3, 3, 3]
    assert len(warnings) == 1
    assert re.search(r"failed \(Connection re.+\). The run goes on without it", warnings[0])
    assert {path.name for path in (tmp_path / "orphan").iterdir()} == {"history.csv", "plan.json"}
    assert len(pd.read_csv(tmp_path / "orphan" / "history.csv")) == 9

    client, run = find(server.start(), "orphan")
    assert points(client, run, "train_loss") == [(1, rows[0][0]["loss"])]


@pytest.mark.parametrize("uri", ["sqlite:///{}/runs.db", "file:{}/runs"])
def test_a_store_without_a_server(tmp_path, monkeypatch, uri, capfd):
    monkeypatch.chdir(tmp_path)
    uri = uri.format(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "plan.json").write_text("{}")
    with Observers([MlflowRun(uri)]).run(tmp_path / "mine", {"seed": 1}) as told:
        told.step("a:b(c)", {"reward": 0.5})
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    client, run = find(uri, "mine")
    assert (run.info.status, run.data.params) == ("FINISHED", {"seed": "1"})
    assert run.data.metrics == {"reward/a_b_c_": 0.5}
    assert [artifact.path for artifact in client.list_artifacts(run.info.run_id)] == ["plan.json"]
    assert capfd.readouterr() == ("", "")


def test_a_failed_and_a_stopped_run_say_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/runs.db"
    for error, status in ((ZeroDivisionError, "FAILED"), (KeyboardInterrupt, "KILLED")):
        (tmp_path / status).mkdir()
        with pytest.raises(error), Observers([MlflowRun(uri)]).run(tmp_path / status, {}):
            raise error
        assert find(uri, status)[1].info.status == status


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("runs", "Expected the URI of an MLflow store.* Received: 'runs'"),
        ("foo:bar", "Cannot record in MLflow at foo:bar"),
        ("http://127.0.0.1:9", "Cannot record in MLflow at http://127.0.0.1:9: Connection refused"),
        ("sqlite:////proc/none.db", "Cannot record in MLflow at sqlite:////proc/none.db"),
    ],
)
def test_nothing_to_record_in_is_one_clear_line(uri, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # It would try for a minute and a half.
    monkeypatch.setattr("mlflow.store.db.utils.MAX_RETRY_COUNT", 1)
    with pytest.raises(ConfigError, match=message) as caught:
        MlflowRun(uri)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_password_is_shown_neither_by_an_error_nor_by_what_it_came_from():
    uri = f"http://me:{SECRET}@127.0.0.1:9"
    with pytest.raises(ConfigError, match=r"MLflow at http://\*\*\*@127.0.0.1:9: Conn") as caught:
        MlflowRun(uri)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_store_that_dies_before_the_run_begins_is_one_clear_line(tmp_path):
    observer = MlflowRun(f"sqlite:///file:{tmp_path}/runs.db?uri=true&password={SECRET}")
    (tmp_path / "runs.db").write_bytes(b"no data base")
    with pytest.raises(
        ConfigError, match=r"Cannot record in MLflow at .*password=\*\*\*: "
    ) as caught:
        observer.start("mine", {})
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_server_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")  # the user's own setting holds
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        started = time.monotonic()
        with pytest.raises(ConfigError, match="Cannot record in MLflow"):
            MlflowRun(f"http://127.0.0.1:{deaf.getsockname()[1]}")
    assert time.monotonic() - started < 4


def test_without_the_package_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ConfigError, match=r"pip install 'keras-prune\[mlflow\]'"):
        MlflowRun("http://127.0.0.1:9")
