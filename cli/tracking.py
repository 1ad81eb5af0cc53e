"""`--mlflow` and `--tensorboard`: options of every long command."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from keras_prune.tracking import Tracker


def tracking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds both options to a command, which is called with the one `tracker` they describe.

    A server that does not answer is an error here, before the command has written anything.
    """

    @click.option("--mlflow", metavar="URI", help="Record in MLflow, say at http://localhost:5000.")
    @click.option(
        "--tensorboard",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Write TensorBoard logs of every training there.",
    )
    @wraps(command)
    def tracked(*args: Any, mlflow: str | None, tensorboard: Path | None, **kwargs: Any) -> Any:
        return command(*args, tracker=_tracker(mlflow, tensorboard), **kwargs)

    return tracked


def _tracker(mlflow: str | None, tensorboard: Path | None) -> "Tracker":
    from keras_prune.tracking import MlflowRun, Recorder, TensorBoardLogs, Tracker

    recorders: list[Recorder] = []
    if mlflow is not None:
        recorders.append(MlflowRun(mlflow))
    if tensorboard is not None:
        recorders.append(TensorBoardLogs(tensorboard))
    return Tracker(recorders, warn=lambda text: click.echo(f"Warning: {text}", err=True))
