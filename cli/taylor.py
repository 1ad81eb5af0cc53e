"""`keras-prune taylor`: train a small network, prune it by the Taylor criterion, fine-tune."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as shared
from .ranked import ranking_options, run_method
from .settings import settings
from .tracking import tracking_options

if TYPE_CHECKING:
    from keras_prune.tracking import Tracker


@click.command()
@shared.dataset
@shared.data_dir
@click.option("--weights", type=shared.FILE, help="A trained .keras file, instead of training one.")
@click.option("--epochs", type=shared.COUNT, help="Epochs of the baseline's training.")
@ranking_options
@shared.batch_size
@shared.seed
@shared.augment
@shared.precision
@shared.out
@shared.config
@tracking_options
def taylor(
    data_dir: Path | None,
    weights: Path | None,
    out: Path | None,
    config: Path | None,
    tracker: "Tracker",
    **options: Any,
) -> None:
    """Prune a network of 2, 4 and 8 filters by the Taylor criterion.

    Every option left out keeps the value of configs/taylor.toml or of --config.
    """
    data = settings("taylor", config, options["dataset"])
    run_method(
        "taylor", data, options, data_dir=data_dir, out=out, tracker=tracker, weights=weights
    )
