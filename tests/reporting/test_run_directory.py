import json
import re

import pandas as pd
import pytest

from keras_prune.errors import ConfigError
from keras_prune.reporting import RunDirectory


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


def test_default_path_holds_recipe_and_time():
    path = RunDirectory.default_path("vgg16")
    assert re.fullmatch(r"runs/vgg16-\d{8}-\d{6}", path.as_posix())
