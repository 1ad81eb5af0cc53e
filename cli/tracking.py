"""`--mlflow` and `--tensorboard`: who is told of a run beside the terminal."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import logger

if TYPE_CHECKING:
    from keras_prune.tracking import Observers

mlflow = click.option(
    "--mlflow", metavar="URI", help="Record in MLflow, say at http://localhost:5000."
)
tensorboard = click.option(
    "--tensorboard",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write TensorBoard logs of every training there.",
)


def observers_of(mlflow: str | None, tensorboard: Path | None) -> "Observers":
    """All that the options name. A server that does not answer is an error."""
    from keras_prune.tracking import MlflowRun, Observer, Observers, TensorBoardLogs

    observers: list[Observer] = []
    if mlflow is not None:
        observers.append(MlflowRun(mlflow))
    if tensorboard is not None:
        observers.append(TensorBoardLogs(tensorboard))
    return Observers(observers, warn=logger.warning)
