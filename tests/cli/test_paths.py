"""Relative paths start at the project around a configuration."""

import pytest

from keras_prune.cli.paths import located, project_of


@pytest.mark.parametrize("mark", ["pyproject.toml", "setup.cfg", "setup.py", ".git"])
def test_a_project_is_the_nearest_folder_with_its_mark(mark, tmp_path):
    inner = tmp_path / "project" / "experiments" / "configs"
    inner.mkdir(parents=True)
    (tmp_path / "project" / mark).touch()
    assert project_of(inner / "my.toml") == tmp_path / "project"


def test_without_a_project_paths_start_at_the_file(tmp_path):
    found = project_of(tmp_path / "my.toml")
    assert found == tmp_path or tmp_path.is_relative_to(found)


def test_relative_paths_are_resolved_and_names_stay(tmp_path):
    (tmp_path / "photos").mkdir()
    common = {
        "model": "nets/own.keras", "dataset": "photos", "directory": "runs/a", "weights": "/w",
    }  # fmt: skip
    found = located({"method": "magnitude", "common": common}, tmp_path)["common"]
    assert found["model"] == str(tmp_path / "nets" / "own.keras")
    assert found["dataset"] == str(tmp_path / "photos")
    assert (found["directory"], found["weights"]) == (str(tmp_path / "runs" / "a"), "/w")


def test_what_is_no_path_stays(tmp_path):
    for data in ({"common": {"model": "lenet5", "dataset": "mnist", "seed": 3}}, {"common": 3}, {}):
        assert located(data, tmp_path) == data
