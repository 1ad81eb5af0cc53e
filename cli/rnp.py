"""`keras-prune rnp`: train a network that decides at run time how much of itself to compute."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as shared
from .options import COUNT, FILE
from .recipes import run_recipe
from .tables import console, show, show_directory, table
from .tracking import tracking_options

if TYPE_CHECKING:
    from keras_prune.reporting import PruningReport
    from keras_prune.tracking import Tracker

# Option (as click names its value) -> the configuration key it sets.
KEYS = {
    "augment": "common.augment",
    "balance": "prune.balance",
    "batch_size": "common.batch_size",
    "dataset": "common.dataset",
    "epochs": "train.epochs",
    "finetune_steps_cnn": "finetune.steps_per_epoch",
    "model": "common.model",
    "num_episodes_rl": "prune.episodes",
    "precision": "common.precision",
    "price": "prune.price",
    "rounds": "prune.rounds",
    "seed": "common.seed",
    "sets": "prune.sets",
}
TABLES = {
    "multiplications.csv": "Multiplications of convolutions, for one image on average",
    "actions.csv": "How often each number of sets was computed (%)",
    "classes.csv": "By class: accuracy (%), multiplications (%), mean number of sets",
    "latency.csv": "Latency of an image, dense and pruned",
}


@click.command()
@click.option("--model", help="A network of the package, say conv4 or vgg16, or a .keras file.")
@shared.dataset
@shared.data_dir
@click.option("--weights", type=FILE, help="A trained .keras file, instead of training one.")
@click.option("--epochs", type=COUNT, help="Epochs of the baseline's training.")
@click.option("--num-episodes-rl", type=COUNT, help="Batches of episodes in a round.")
@click.option("--finetune-steps-cnn", type=COUNT, help="Steps of fine-tuning in a round.")
@click.option("--rounds", type=COUNT, help="How often backbone and agent are trained in turn.")
@click.option("--sets", type=int, help="Sets that a layer's channels are split into, k.")
@click.option("--price", "-p", type=float, help="Reward of one more set, p; below 0.")
@click.option("--balance", type=float, help="Added to the price once the agent is trained.")
@click.option("--curve", is_flag=True, help="Also draw accuracy over multiplications.")
@shared.batch_size
@shared.seed
@shared.augment
@shared.precision
@shared.out
@shared.config
@tracking_options
def rnp(
    data_dir: Path | None,
    weights: Path | None,
    curve: bool,
    out: Path | None,
    config: Path | None,
    tracker: "Tracker",
    **options: Any,
) -> None:
    """Teach a network to decide, image by image, how much of itself to compute.

    Every option left out keeps the value of configs/rnp.toml, adapted to the data set by
    configs/rnp-DATASET.toml, or of --config. An episode is an image: --num-episodes-rl counts
    batches of them. For example

        keras-prune rnp --dataset fashion_mnist --seed 42
    """
    report, run = run_recipe(
        "rnp",
        "methods.rnp",
        "RNPRecipe",
        KEYS,
        options,
        config=config,
        out=out,
        tracker=tracker,
        data_dir=data_dir,
        weights=weights,
        curve=curve,
    )
    _show(report, run.path)


def _show(report: "PruningReport", path: Path) -> None:
    import pandas as pd

    terminal = console()
    for name, title in TABLES.items():
        terminal.print(table(pd.read_csv(path / name), title))
    show(report, terminal)
    show_directory(terminal, path)
