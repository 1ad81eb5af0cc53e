"""`keras-prune train`: a network of the zoo, or a model of the user's, on any data."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keras_prune.config import load, override

from . import options as shared
from .running import carry_out
from .settings import changes, settings
from .starting import room
from .tracking import tracking_options

if TYPE_CHECKING:
    from keras_prune.reporting import TrainingReport
    from keras_prune.tracking import Tracker

# Option (as click names its value) -> the configuration key it sets.
KEYS = {
    "augment": "common.augment",
    "batch_size": "common.batch_size",
    "dataset": "common.dataset",
    "epochs": "train.epochs",
    "learning_rate": "train.learning_rate",
    "model": "common.model",
    "precision": "common.precision",
    "seed": "common.seed",
}


@click.command()
@click.argument("model")
@shared.dataset
@shared.data_dir
@shared.out
@click.option("--epochs", type=shared.COUNT, help="Passes over the training images.")
@click.option(
    "--learning-rate", type=float, callback=shared.positive, help="Highest of its schedule."
)
@shared.batch_size
@shared.seed
@shared.augment
@shared.precision
@shared.config
@tracking_options
def train(
    data_dir: Path | None,
    out: Path | None,
    config: Path | None,
    tracker: "Tracker",
    **options: Any,
) -> None:
    """Train MODEL and write a run directory.

    MODEL is a network of the package, for example lenet5, which starts from random
    weights, or a .keras file of yours, which goes on from its own. Images are resized to its input.
    The test split is read once, at the end.
    """
    data = settings("train", config, options["dataset"])
    common = data["common"]
    if not options["dataset"] and isinstance(common, dict) and "dataset" not in common:
        raise click.UsageError("Missing option '--dataset'.")
    training = room("training")
    recipe = override(load(training.TrainRecipe, data), changes(KEYS, options))
    report, run = carry_out(
        "train", training.train, recipe, out=out, tracker=tracker, data_dir=data_dir
    )
    _show(report, run.path)


def _show(report: "TrainingReport", path: Path) -> None:
    from keras_prune.reporting import figures_frame

    from .tables import console, show_directory, table

    terminal = console()
    terminal.print(table(figures_frame(report.figures), f"{report.model} on {report.dataset}"))
    show_directory(terminal, path)
