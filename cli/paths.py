"""Relative paths of a configuration: they start at the project that the file lies in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_prune.utils.model_files import is_path

_MARKS = ("pyproject.toml", "setup.cfg", "setup.py", ".git")


def project_of(config_file: Path) -> Path:
    """The nearest folder around a file that holds a project; without one, the file's own folder.

    Args:
        config_file: the file.
    """
    folders = config_file.absolute().parents
    return next((f for f in folders if any((f / mark).exists() for mark in _MARKS)), folders[0])


def located(data: Mapping[str, Any], project: Path) -> dict[str, Any]:
    """A configuration with its relative paths resolved; a data set's or network's name stays one.

    Args:
        data: its sections as they were read.
        project: the folder that relative paths start at.
    """
    common = data.get("common")
    if not isinstance(common, Mapping):
        return dict(data)
    given = {name: value for name, value in common.items() if isinstance(value, str)}
    found = {name: str(project / given[name]) for name in ("directory", "weights") if name in given}
    if "model" in given:
        found["model"] = model_path(given["model"], project)
    if "dataset" in given and (project / given["dataset"]).is_dir():
        found["dataset"] = str(project / given["dataset"])
    return {**data, "common": {**common, **found}}


def model_path(model: str, folder: Path) -> str:
    """The whole path of a model's file; the name of a network stays one."""
    return str(folder / model) if is_path(model) else model
