"""`keras-prune prune`: a model of the user's, cut to a budget by rank and fine-tuned."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as shared
from .ranked import ranking_options, run_ranking
from .settings import settings
from .tracking import tracking_options

if TYPE_CHECKING:
    from keras_prune.tracking import Tracker


@click.command()
@click.argument("model", type=click.Path())
@shared.required_dataset
@shared.data_dir
@ranking_options
@shared.batch_size
@shared.seed
@shared.augment
@shared.precision
@shared.out
@shared.config
@tracking_options
def prune(
    data_dir: Path | None,
    out: Path | None,
    config: Path | None,
    tracker: "Tracker",
    **options: Any,
) -> None:
    """Prune MODEL to a budget, fine-tune and export it.

    MODEL is a .keras file that classifies images. Give exactly one budget: --macs, --params,
    --ratio or --latency. Every other option left out keeps the value of configs/prune.toml or of
    --config. For example

        keras-prune prune model.keras --dataset photos/ --criterion taylor --macs 0.5
    """
    data = settings("prune", config, options["dataset"])
    run_ranking("prune", data, options, data_dir=data_dir, out=out, tracker=tracker)
