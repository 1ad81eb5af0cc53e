"""What surrounds every recipe: its run directory, and what happens on failure and on Ctrl-C."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keras_prune.errors import KerasPruneError

if TYPE_CHECKING:
    from keras_prune.reporting import RunDirectory


class Interrupted(click.Abort):
    """Ctrl-C during a run; the message says where the partial run lies."""


@contextlib.contextmanager
def run_directory(path: Path, *, goes_on: bool = False) -> Iterator["RunDirectory"]:
    """The directory of one run; it is removed again if the run fails before writing anything.

    Args:
        path: the directory.
        goes_on: take that of a run that was killed, instead of making one.
    """
    from keras_prune.reporting import RunDirectory

    run = RunDirectory.existing(path) if goes_on else RunDirectory.create(path)
    try:
        yield run
    except KeyboardInterrupt:
        partial = f"The partial run is in {run.path}."
        outcome = "Nothing was written." if run.remove_if_empty() else partial
        raise Interrupted(f"Interrupted. {outcome}") from None
    except KerasPruneError:
        run.remove_if_empty()
        raise
