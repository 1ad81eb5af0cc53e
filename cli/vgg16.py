"""`keras-prune vgg16`: train or load a VGG16, prune it with the filter agent, fine-tune, export."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as shared
from .options import COUNT, FILE
from .recipes import run_recipe
from .tables import show_run
from .tracking import tracking_options

if TYPE_CHECKING:
    from keras_prune.tracking import Tracker

# Option (as click names its value) -> the configuration key it sets.
KEYS = {
    "augment": "common.augment",
    "b": "prune.b",
    "batch_size": "common.batch_size",
    "dataset": "common.dataset",
    "distill": "distillation",
    "epochs": "train.epochs",
    "finetune_epochs": "finetune.epochs",
    "finetune_steps": "recovery.steps_per_epoch",
    "max_steps": "prune.max_steps",
    "precision": "common.precision",
    "samples": "prune.samples",
    "seed": "common.seed",
    "validation_images": "prune.images",
}


@click.command()
@click.option(
    "--b", type=float, callback=shared.positive, help="Tolerated accuracy drop in points."
)
@shared.dataset
@shared.data_dir
@click.option("--weights", type=FILE, help="A trained .keras file, instead of training one.")
@shared.seed
@shared.out
@shared.config
@shared.augment
@shared.precision
@shared.batch_size
@click.option("--epochs", type=COUNT, help="Epochs of the baseline's training.")
@click.option("--samples", type=COUNT, help="Actions sampled per agent step.")
@click.option("--max-steps", type=COUNT, help="Agent steps per group, at most.")
@click.option("--validation-images", type=COUNT, help="Images a reward is measured on.")
@click.option("--finetune-steps", type=COUNT, help="Training steps after each group.")
@click.option("--finetune-epochs", type=COUNT, help="Epochs of the final fine-tuning.")
@shared.distill
@tracking_options
def vgg16(
    data_dir: Path | None,
    weights: Path | None,
    out: Path | None,
    config: Path | None,
    tracker: "Tracker",
    **options: Any,
) -> None:
    """Prune a VGG16 with a reinforcement-learned filter agent.

    Every option left out keeps the value of the recipe's configuration or of --config.
    """
    report, run = run_recipe(
        "vgg16",
        "methods.filter_agent",
        "FilterAgentRecipe",
        KEYS,
        options,
        config=config,
        out=out,
        tracker=tracker,
        data_dir=data_dir,
        weights=weights,
    )
    show_run(report, run.path)
