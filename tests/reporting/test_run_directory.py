import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime

import pandas as pd
import pytest

from keras_prune.errors import ConfigError
from keras_prune.reporting import PruningReport, RunDirectory


def test_writes_whole_files(tmp_path):
    run = RunDirectory.create(tmp_path / "a" / "b")
    run.write_json("report.json", {"x": [1, None]})
    run.write_text("config.toml", "b = 1.0\n")
    run.write_frame("history.csv", pd.DataFrame({"step": [1, 2], "reward": [0.5, 0.25]}))
    assert json.loads((run / "report.json").read_text()) == {"x": [1, None]}
    assert (run / "config.toml").read_text() == "b = 1.0\n"
    assert (run / "history.csv").read_text() == "step,reward\n1,0.5\n2,0.25\n"
    assert sorted(p.name for p in run.path.iterdir()) == [
        "config.toml",
        "history.csv",
        "report.json",
    ]


def test_saves_a_model_that_loads(tmp_path):
    import keras

    run = RunDirectory.create(tmp_path)
    path = run.save_model("m.keras", keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]))
    assert keras.models.load_model(path).count_params() == 8


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path):
    class Broken:
        def save(self, path):
            path.write_text("half")
            raise RuntimeError("disk")

    run = RunDirectory.create(tmp_path)
    run.write_text("m.keras", "old")
    with pytest.raises(RuntimeError, match="disk"):
        run.save_model("m.keras", Broken())
    assert [p.name for p in tmp_path.iterdir()] == ["m.keras"]
    assert (tmp_path / "m.keras").read_text() == "old"


def test_an_empty_directory_is_taken_and_a_used_one_refused(tmp_path):
    RunDirectory.create(tmp_path).write_text("a", "a")
    with pytest.raises(ConfigError, match="not empty.*--out"):
        RunDirectory.create(tmp_path)
    assert (tmp_path / "a").read_text() == "a"


def test_unwritable_places_are_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below", "/proc/runs"):
        with pytest.raises(ConfigError, match=r"Cannot write the run directory .*--out"):
            RunDirectory.create(path)


def test_remove_if_empty(tmp_path):
    run = RunDirectory.create(tmp_path / "run")
    assert run.remove_if_empty() and not run.path.exists()
    run = RunDirectory.create(tmp_path / "run")
    run.write_text("a", "a")
    assert not run.remove_if_empty() and (run / "a").exists()
    assert RunDirectory.create(tmp_path / "runs" / "mine" / "run").remove_if_empty()
    assert tmp_path.exists() and not (tmp_path / "runs").exists()


def test_open_goes_on_with_a_run_and_refuses_other_files(tmp_path):
    assert RunDirectory.open(tmp_path / "new").path.is_dir()
    (tmp_path / "killed" / "state").mkdir(parents=True)
    RunDirectory.open(tmp_path / "killed").write_json("report.json", {})
    RunDirectory.open(tmp_path / "killed").remove("state")
    assert not (tmp_path / "killed" / "state").exists()
    assert (RunDirectory.open(tmp_path / "killed") / "report.json").exists()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.tex").touch()
    with pytest.raises(ConfigError, match=r"foreign is not empty.*--out"):
        RunDirectory.open(tmp_path / "foreign")


def test_what_is_not_there_is_removed_in_silence(tmp_path):
    RunDirectory.create(tmp_path).remove("state")


def test_existing_asks_for_a_configuration(tmp_path):
    with pytest.raises(ConfigError, match=r"run with its config.toml. Received: .*--out"):
        RunDirectory.existing(tmp_path)
    RunDirectory.create(tmp_path).write_text("config.toml", "")
    assert RunDirectory.existing(tmp_path).path == tmp_path


HOLD = """
import sys, time
from pathlib import Path
from keras_prune.reporting import RunDirectory
with RunDirectory(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.mark.slow
def test_a_directory_has_one_owner_and_is_free_again_when_that_was_killed(tmp_path):
    environment = os.environ | {"KERAS_BACKEND": "tensorflow"}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, env=environment
    )
    try:
        assert process.stdout.readline() == b"held\n"
        run = RunDirectory(tmp_path)
        with pytest.raises(ConfigError, match=rf"in use by process {process.pid} on .*Wait"):
            run.locked().__enter__()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    (tmp_path / f".model-{process.pid}.keras").write_text("half")  # what it did not write out
    (tmp_path / "model-1.keras").write_text("whole")
    ours = f"in use by process {os.getpid()} "
    with run.locked(), run.locked(), pytest.raises(ConfigError, match=ours):
        RunDirectory(tmp_path).locked().__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["model-1.keras"]


def test_a_failure_frees_the_directory(tmp_path):
    run = RunDirectory.create(tmp_path)
    with pytest.raises(ZeroDivisionError), run.locked():
        raise ZeroDivisionError
    with RunDirectory(tmp_path).locked():
        pass
    assert not list(tmp_path.iterdir())


def test_default_path_holds_recipe_and_time():
    path = RunDirectory.default_path("vgg16")
    assert re.fullmatch(r"runs/vgg16-\d{8}-\d{6}", path.as_posix())


def test_two_runs_of_one_second_have_two_directories(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 2, 3, 4, 5, tzinfo=tz)

    monkeypatch.setattr("keras_prune.reporting.run_directory.datetime", Stopped)
    paths = []
    for _ in range(3):
        paths.append(RunDirectory.default_path("vgg16"))
        RunDirectory.create(paths[-1])
    assert [path.name for path in paths] == [
        "vgg16-20260102-030405", "vgg16-20260102-030405-2", "vgg16-20260102-030405-3"
    ]  # fmt: skip


def test_what_was_killed_before_it_had_written_anything_is_begun_anew(tmp_path):
    for name in (".lock", ".owner", ".config-77-a1b2c3d4.toml"):
        (tmp_path / name).write_text("")
    run = RunDirectory.create(tmp_path)
    with run.locked():
        assert not list(tmp_path.glob(".config*"))
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(ConfigError, match="is not empty"):
        RunDirectory.create(tmp_path)


def test_what_a_killed_process_was_writing_is_swept_and_nothing_else(tmp_path):
    run = RunDirectory.create(tmp_path / "run")
    (run / ".export-x8uv").mkdir()
    (run / ".export-x8uv" / ".lock").write_text("")
    (run / ".files").mkdir()
    (run / ".report-123.json").write_text("")
    (run / ".gitignore").write_text("")
    run.write_text("notes-1.txt", "")
    with run.locked():
        left = {path.name for path in run.path.iterdir()}
    assert left == {".gitignore", "notes-1.txt", ".lock", ".owner"}


def test_tables_of_foreign_names_are_written(tmp_path):
    run = RunDirectory.create(tmp_path / "a")
    frame = pd.DataFrame({"name": ["\ud800", "\x1b[31m"], "n": [1, 2]}, dtype=object)
    path = run.write_frame("x.csv", frame)
    assert path.read_text() == "name,n\n\\ud800,1\n\\x1b[31m,2\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 10**400}, "report.seed expects a number of at most 64 bits"),
        ({"seed": float("nan")}, "report.seed expects an integer. Received: nan"),
        ({"groups": [{"name": "a", "channels": 0, "kept": 0}]}, "channels to be at least 1"),
        ({"\x1b": 1}, "Unknown key in"),
        (None, "as \\[report\\]. Received: \\[\\]"),
    ],
)
def test_a_report_that_is_none_is_named(tmp_path, report, change, message):
    run = RunDirectory.create(tmp_path / "a")
    run.write_json("report.json", [] if change is None else report.to_dict() | change)
    with pytest.raises(ConfigError, match=f"a/report.json is no report of such a run: .*{message}"):
        run.read_report(PruningReport)
