"""`keras-prune run`: what a configuration describes, or a run that was killed."""

import dataclasses
from pathlib import Path

import click

from keras_prune.errors import ConfigError

from . import options as shared
from .command import command
from .paths import project_of
from .running import Execution, Stage, carry_out, default_path, executed, go_on
from .settings import loaded, read_file


@command()
@click.argument("what", metavar="FILE|RUN_DIR", type=shared.FILE)
@click.option("--stage", type=click.Choice(["train", "prune", "test"]), help="One stage alone.")
@shared.out
@executed
def run(what: Path, stage: Stage | None, out: Path | None, execution: Execution) -> None:
    """Carry out a TOML file, or go on with a run.

    The file says its method on top, for example method = "ranking", or "train" for a training
    alone. It is carried out in the directory that --out or the key directory of [common] names. A
    stage alone goes on from what the one before it left there. Relative paths in the file start at
    the project it lies in: the nearest folder around it with a pyproject.toml, setup.cfg, setup.py
    or .git.

    A run directory goes on as its own config.toml says, from where it was stopped.
    """
    execution = dataclasses.replace(execution, stage=stage)
    if what.is_dir():
        shared.refuse_others("A run directory", {"out": out})
        go_on(what, execution)
        return
    config = loaded(read_file(what), code=execution.allow_code)
    if stage and not (out or config.common.directory):
        raise ConfigError(
            "A stage alone needs the directory of the others: give --out, or directory in [common] "
            f"of {what}."
        )
    path = out or project_of(what) / default_path(config, what.stem)
    # A later stage goes on in the directory of the first.
    goes_on = stage is not None and (path / "config.toml").is_file()
    carry_out(config, path, execution, goes_on=goes_on)
