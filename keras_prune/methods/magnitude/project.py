"""Relative paths of a configuration: they start at the project the file lies in."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from keras_prune.methods.magnitude.config import MagnitudeRecipe
from keras_prune.training.opening import is_file

_MARKS = ("pyproject.toml", "setup.cfg", "setup.py", ".git")


def project_of(config: Path) -> Path:
    """The nearest folder around a file that holds a project; without one, the file's own folder.

    Args:
        config: the file.
    """
    folders = config.absolute().parents
    return next((f for f in folders if any((f / mark).exists() for mark in _MARKS)), folders[0])


def located(recipe: MagnitudeRecipe, project: Path) -> MagnitudeRecipe:
    """The recipe with its relative paths resolved; a data set's or network's name stays one.

    Args:
        recipe: as it was read.
        project: the folder that relative paths start at.
    """
    common = recipe.common
    found: dict[str, Any] = {
        name: str(project / path)
        for name in ("directory", "weights")
        if (path := getattr(common, name)) is not None
    }
    if is_file(common):
        found["model"] = str(project / common.model)
    if (project / common.dataset).is_dir():
        found["dataset"] = str(project / common.dataset)
    return replace(recipe, common=replace(common, **found))
