"""`--mlflow` and `--tensorboard`, on the recipe command with a stand-in for its method."""

import pytest

from keras_prune.tracking import Recorder, Tracker


class Broken(Recorder):
    def end(self, status, folder):
        raise ConnectionRefusedError(111, "Connection refused")


def test_both_record_the_run_the_command_makes(call, method, tmp_path):
    mlflow = pytest.importorskip("mlflow")

    def run(config, run, *, tracker, **_):
        run.write_text("plan.json", "{}")
        tracker.step("conv1", {"reward": 0.5})
        raise KeyboardInterrupt

    method.run_recipe = run
    store = f"sqlite:///{tmp_path}/runs.db"
    result = call("vgg16", "--out", "mine", "--b", 2, "--mlflow", store, "--tensorboard", "logs")
    assert (result.code, result.err) == (130, "Interrupted. The partial run is in mine.\n")
    client = mlflow.MlflowClient(store)
    (recorded,) = client.search_runs([client.get_experiment_by_name("keras-prune").experiment_id])
    assert recorded.info.run_name == "mine"
    assert recorded.info.status == "KILLED"
    assert recorded.data.params["prune.b"] == "2.0"
    assert recorded.data.metrics == {"reward/conv1": 0.5}
    assert [file.path for file in client.list_artifacts(recorded.info.run_id)] == ["plan.json"]
    assert list((tmp_path / "logs" / "conv1").glob("events*"))


def test_a_failing_recorder_is_one_line_on_stderr(call, monkeypatch):
    from keras_prune.cli import tracking

    build = tracking._tracker

    def broken(*_):
        tracker = build(None, None)
        return Tracker([Broken("MLflow at there")], warn=tracker._warn)

    monkeypatch.setattr(tracking, "_tracker", broken)
    result = call("vgg16")
    assert result.code == 0
    assert result.err.count("Warning: MLflow at there failed (Connection refused). The run") == 1


def test_without_the_options_nothing_is_recorded(call, method):
    seen = []
    run = method.run_recipe
    method.run_recipe = lambda *a, tracker, **k: (
        seen.append(tracker) or run(*a, tracker=tracker, **k)
    )
    assert call("vgg16").code == 0
    assert seen[0].training("train") == []
