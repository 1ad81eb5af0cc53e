"""`keras-prune lenet5` and `keras-prune lenet300-100`: magnitude pruning, end to end."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as shared
from .magnitude import show
from .options import COUNT, FILE
from .recipes import run_recipe
from .tracking import tracking_options

if TYPE_CHECKING:
    from keras_prune.tracking import Tracker

# Option (as click names its value) -> the configuration key it sets.
KEYS = {
    "augment": "common.augment",
    "batch_size": "common.batch_size",
    "dataset": "common.dataset",
    "epochs": "train.epochs",
    "iterations": "prune.iterations",
    "precision": "common.precision",
    "seed": "common.seed",
    "sparsity": "prune.sparsity",
}


def _recipe(name: str, title: str) -> click.Command:
    """The command of a configuration that the package ships."""

    @click.command(
        name,
        help=f"Prune {title} by magnitude: train, prune and retrain in iterations, measure.\n\n"
        "Every option left out keeps the value of the recipe's configuration or of --config.",
    )
    @shared.dataset
    @shared.data_dir
    @click.option("--weights", type=FILE, help="A trained .keras file, instead of training one.")
    @shared.seed
    @shared.out
    @shared.config
    @shared.precision
    @shared.augment
    @shared.batch_size
    @click.option("--epochs", type=COUNT, help="Epochs of the baseline's training.")
    @click.option("--iterations", type=COUNT, help="How often weights are pruned.")
    @click.option("--sparsity", type=float, help="Fraction of weights that are zero at the end.")
    @tracking_options
    def command(
        data_dir: Path | None,
        weights: Path | None,
        out: Path | None,
        config: Path | None,
        tracker: "Tracker",
        **options: Any,
    ) -> None:
        report, run = run_recipe(
            name,
            "methods.magnitude",
            "MagnitudeRecipe",
            KEYS,
            options,
            config=config,
            out=out,
            tracker=tracker,
            data_dir=data_dir,
            weights=weights,
        )
        show(report, run)

    return command


lenet5 = _recipe("lenet5", "LeNet-5")
lenet300_100 = _recipe("lenet300-100", "LeNet-300-100")
