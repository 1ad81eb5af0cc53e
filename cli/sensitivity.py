"""`keras-prune sensitivity`: what each group costs in accuracy, at each pruning ratio."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options as shared
from .costs import write_csv
from .progress import display
from .starting import room

if TYPE_CHECKING:
    import pandas as pd

IMAGES = 1024


@click.command()
@click.argument("model", type=click.Path())
@shared.required_dataset
@shared.data_dir
@click.option("--criterion", default="taylor", show_default=True, help="What ranks the channels.")
@click.option(
    "--ratio",
    "ratios",
    type=float,
    multiple=True,
    help="Fraction of a group's channels to remove; may be given several times.  [default: 0.1, "
    "0.2, ... 0.9]",
)
@click.option(
    "--images", type=shared.COUNT, default=IMAGES, show_default=True, help="Of each split."
)
@shared.seed
@shared.precision
@shared.csv
@click.option("--plot", type=shared.FILE, help="Draw a line per group: .svg or .png.")
@shared.as_json
def sensitivity(
    model: str,
    dataset: str,
    data_dir: Path | None,
    criterion: str,
    ratios: tuple[float, ...],
    images: int,
    seed: int | None,
    precision: str | None,
    csv: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Show how much accuracy each group of MODEL costs, alone, at each pruning ratio.

    MODEL is a .keras file that classifies images. The channels with the lowest scores are silenced
    and the validation accuracy is measured; nothing is trained. Channels that must leave together
    are one group: where layers are added, the filters of all of them go at once. For example

        keras-prune sensitivity model.keras --dataset photos/ --plot sensitivity.svg
    """
    if plot:
        room("reporting.drawing").check_path(plot)
    frame = _measured(
        model, dataset, data_dir, criterion, ratios, images, seed or 0, precision or "float32"
    )
    if csv:
        write_csv(csv, frame)
    if plot:
        room("reporting.curves").draw_sensitivity(frame, plot)
    if as_json:
        click.echo(frame.to_json(orient="records", indent=2))
    else:
        from .tables import console, table

        title = f"{model} on {dataset}, channels ranked by {criterion}"
        console().print(table(frame, title))


def _measured(
    model: str,
    dataset: str,
    data_dir: Path | None,
    criterion: str,
    ratios: tuple[float, ...],
    images: int,
    seed: int,
    precision: str,
) -> "pd.DataFrame":
    score = room("criteria").get(criterion)
    method = room("methods.ranking")
    common = room("training").CommonConfig(model, dataset, seed=seed, precision=precision)
    network, splits = room("training.opening").open_file(common, data_dir)
    graph = room("graph").ChannelGraph(network)
    scores = score(graph, splits.training_sample(images))
    held_out = splits.validation_arrays(images)
    with display() as watcher:
        return method.sensitivity(
            graph,
            scores,
            *held_out,
            ratios=ratios or method.RATIOS,
            precision=precision,
            watcher=watcher,
        )
