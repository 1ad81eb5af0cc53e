"""`--mlflow` and `--tensorboard`, on the recipe command with a stand-in for the run."""

import pytest

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
