"""`keras-prune prune`: a model of the user's, cut to a budget by rank and fine-tuned."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as shared
from .ranked import METHODS, ranking_options, run_method
from .settings import settings
from .tracking import tracking_options

if TYPE_CHECKING:
    from keras_prune.tracking import Tracker


@click.command()
@click.argument("model", type=click.Path())
@shared.required_dataset
@shared.data_dir
@click.option(
    "--method",
    type=click.Choice(list(METHODS)),
    default="ranking",
    show_default=True,
    help="ranking: by the criterion alone. rl_pruner: what each group gives is searched.",
)
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
    method: str,
    **options: Any,
) -> None:
    """Prune MODEL to a budget, fine-tune and export it.

    MODEL is a .keras file that classifies images. Give exactly one budget: --macs, --params,
    --ratio or --latency. Every other option left out keeps the value of configs/prune.toml or of
    --config; with --method rl_pruner of configs/rl-pruner.toml. For example

        keras-prune prune model.keras --dataset photos/ --criterion taylor --macs 0.5
    """
    searched = method == "rl_pruner"
    if searched:
        options = _for_search(options)
    data = settings("rl-pruner" if searched else "prune", config, options["dataset"])
    run_method("prune", data, options, data_dir=data_dir, out=out, tracker=tracker, method=method)


def _for_search(options: dict[str, Any]) -> dict[str, Any]:
    """The options as a search for the distribution has them: its steps are called stages."""
    for name in ("latency", "scope"):
        if options[name] is not None:
            raise click.UsageError(f"--{name} belongs to --method ranking.")
    others = {name: value for name, value in options.items() if name not in ("steps", "latency")}
    return others | {"stages": options["steps"]}
