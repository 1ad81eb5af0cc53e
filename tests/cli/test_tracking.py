"""`--mlflow` and `--tensorboard`, on the recipe command with a stand-in for the run."""

import pytest

from keras_prune.errors import DataError
from keras_prune.tracking import Observer, Observers


class Broken(Observer):
    def end(self, status, folder):
        raise ConnectionRefusedError(111, "Connection refused")


def test_both_record_the_run_the_command_makes(call, driver, tmp_path):
    mlflow = pytest.importorskip("mlflow")

    def run(config, directory, *, observers, **_):
        directory.write_text("plan.json", "{}")
        observers.step("conv1", {"reward": 0.5})
        raise KeyboardInterrupt

    driver.run = run
    store = f"sqlite:///{tmp_path}/runs.db"
    result = call("vgg16", "--out", "mine", "--b", 2, "--mlflow", store, "--tensorboard", "logs")
    assert result.code == 130
    assert result.err.startswith("Interrupted. The partial run is in mine. To go on: keras-prune")
    client = mlflow.MlflowClient(store)
    (recorded,) = client.search_runs([client.get_experiment_by_name("keras-prune").experiment_id])
    assert recorded.info.run_name == "mine"
    assert recorded.info.status == "KILLED"
    assert recorded.data.params["prune.b"] == "2.0"
    assert recorded.data.metrics == {"reward/conv1": 0.5}
    assert [file.path for file in client.list_artifacts(recorded.info.run_id)] == ["plan.json"]
    assert list((tmp_path / "logs" / "conv1").glob("events*"))


def test_a_failing_observer_is_one_line_on_stderr(call, driver, monkeypatch):
    from keras_prune.cli import tracking

    build = tracking.observers_of

    def broken(*_):
        return Observers([Broken("MLflow at there")], warn=build(None, None)._warn)

    monkeypatch.setattr(tracking, "observers_of", broken)
    result = call("vgg16")
    assert result.code == 0
    assert result.err.count("Warning: MLflow at there failed (Connection refused). The run") == 1


def test_without_the_options_nothing_is_recorded(call, driver):
    assert call("vgg16").code == 0
    assert driver.calls[0]["observers"].training("train") == []


@pytest.mark.parametrize(
    "uri",
    [
        "http://me:s3cret@127.0.0.1:9",
        "http://127.0.0.1:9/?token=s3cret",
        "http://me:s3/cret@127.0.0.1:9",
        "postgresql+none://me:s3cret@127.0.0.1:9/db",
    ],
)
def test_a_password_is_named_neither_by_a_store_that_fails_nor_in_debugging(
    call, driver, tmp_path, monkeypatch, uri
):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    result = call("vgg16", "--out", "mine", "--mlflow", uri, "--debug")
    assert result.code == 2
    assert "Error: Cannot record in MLflow at " in result.err and "***" in result.err
    assert "Traceback" in result.err
    assert "s3" not in result.out + result.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [DataError, RuntimeError])
def test_a_password_is_in_no_file_of_a_run_nor_in_the_store(
    call, driver, tmp_path, monkeypatch, error
):
    pytest.importorskip("mlflow")
    uri = f"sqlite:///file:{tmp_path}/runs.db?uri=true&password=s3cret"
    told = uri.replace("s3cret", "***")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)

    def run(config, directory, *, observers, **_):
        directory.write_text("plan.json", "{}")
        observers._warn(f"{uri} is slow")
        try:
            raise OSError("http://me:s3cret@host refused")
        except OSError as cause:
            raise error(f"{uri} has no space") from cause

    driver.run = run
    words = ("--dataset", "http://me:s3cret@host/data", "--tensorboard", "logs", "--debug")
    result = call("vgg16", "--out", "mine", "--mlflow", uri, *words)
    assert result.code in (1, 2)
    assert f"Warning: {told} is slow" in result.err
    log = (tmp_path / "mine" / "log.txt").read_text()
    assert f"--mlflow '{told}'" in log
    assert f"{told} has no space" in log and "http://***@host" in log
    assert "s3cret" not in result.out + result.err
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert tmp_path / "runs.db" in files and len(files) > 3
    assert not [path for path in files if b"s3cret" in path.read_bytes()]
