"""`keras-prune run`: the stages that a configuration describes."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keras_prune.config import load, read_toml, to_dict
from keras_prune.errors import ConfigError

from . import options as shared
from .magnitude import show
from .progress import display
from .running import run_directory
from .starting import room
from .tracking import tracking_options

if TYPE_CHECKING:
    from keras_prune.reporting import RunDirectory
    from keras_prune.tracking import Tracker


@click.command()
@click.argument("config", type=shared.FILE)
@click.option("--stage", type=click.Choice(["train", "prune", "test"]), help="One stage alone.")
@shared.data_dir
@shared.out
@tracking_options
def run(
    config: Path, stage: str | None, data_dir: Path | None, out: Path | None, tracker: "Tracker"
) -> None:
    """Carry out CONFIG, a TOML file with the sections common, train, prune and test.

    Trains, prunes by magnitude and measures, in the directory that --out or the key directory of
    [common] names. A stage alone goes on from what the one before it left there. Relative paths in
    the file start at the project it lies in: the nearest folder around it with a pyproject.toml,
    setup.cfg, setup.py or .git.
    """
    data = read_toml(config)
    method = room("methods.magnitude")
    project = method.project_of(config)
    recipe = method.located(load(method.MagnitudeRecipe, data), project)
    folder = out or recipe.common.directory
    if folder is None and stage:
        raise ConfigError(
            "A stage alone needs the directory of the others: give --out, or directory in [common] "
            f"of {config}."
        )
    stages = [stage] if stage else method.STAGES
    with (
        _directory(method, folder or _default(project, config), stages) as directory,
        display() as watcher,
        tracker.run(directory.path, to_dict(recipe)),
    ):
        report = method.run_recipe(
            recipe, directory, stages=stages, data_dir=data_dir, watcher=watcher, tracker=tracker
        )
    show(report, directory)


def _default(project: Path, config: Path) -> Path:
    from keras_prune.reporting import RunDirectory

    return project / RunDirectory.default_path(config.stem)


@contextlib.contextmanager
def _directory(method: Any, path: str | Path, stages: Sequence[str]) -> Iterator["RunDirectory"]:
    """A new run directory, or for a later stage the one that the earlier stages wrote."""
    from keras_prune.reporting import RunDirectory

    if stages[0] == "train":
        with run_directory(Path(path)) as directory:
            yield directory
    else:
        directory = RunDirectory(Path(path))
        method.check_files(directory, stages)
        yield directory
