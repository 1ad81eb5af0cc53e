"""What surrounds every recipe: its run directory, and what happens on failure and on Ctrl-C."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keras_prune.config import to_dict
from keras_prune.errors import KerasPruneError

from .progress import display

if TYPE_CHECKING:
    from keras_prune.reporting import RunDirectory
    from keras_prune.tracking import Tracker


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


def carry_out(
    name: str,
    work: Callable[..., Any],
    recipe: Any,
    *,
    out: Path | None,
    tracker: "Tracker",
    **arguments: Any,
) -> tuple[Any, "RunDirectory"]:
    """Carries out a recipe in a run directory of its own, shown and recorded as it goes on.

    Args:
        name: of the command, for the run directory.
        work: called with the recipe, the directory, `watcher`, `tracker` and `arguments`.
        recipe: the whole configuration.
        out: the run directory; default: one of the command's name and the time.
        tracker: what records the run.
        arguments: what else the work takes.

    Returns:
        What the work returns, and the run directory.
    """
    from keras_prune.reporting import RunDirectory

    with (
        run_directory(out or RunDirectory.default_path(name)) as run,
        display() as watcher,
        tracker.run(run.path, to_dict(recipe)),
    ):
        return work(recipe, run, watcher=watcher, tracker=tracker, **arguments), run
