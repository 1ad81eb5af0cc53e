"""`keras-prune sensitivity`: what each group costs in accuracy, at each pruning ratio."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from keras_prune.criteria.names import CriterionName

from . import options as shared
from .classifying import tell_doubts
from .command import command
from .costs import check_folder, write_csv
from .output import say_json
from .progress import display
from .starting import quietly

if TYPE_CHECKING:
    import pandas as pd

IMAGES = 1024


@command()
@click.argument("model", type=click.Path())
@shared.required_dataset
@shared.data_dir
@shared.rescale
@click.option(
    "--criterion",
    type=click.Choice(get_args(CriterionName)),
    default="taylor",
    show_default=True,
    help="What ranks the channels.",
)
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
@shared.batch_size
@shared.precision
@shared.workers
@shared.csv
@click.option("--plot", type=shared.FILE, help="Draw a line per group: .svg or .png.")
@shared.as_json
def sensitivity(csv: Path | None, plot: Path | None, as_json: bool, **options: Any) -> None:
    """Show how much accuracy each group of MODEL costs, alone, at each pruning ratio.

    MODEL is a .keras file that classifies images. The channels with the lowest scores are silenced
    and the validation accuracy is measured; nothing is trained. Channels that must leave together
    are one group: where layers are added, the filters of all of them go at once. For example

        keras-prune sensitivity model.keras --dataset photos/ --plot sensitivity.svg
    """
    check_folder(csv)
    with quietly():
        from keras_prune.reporting.graph_plot import check_path
        from keras_prune.reporting.plots import draw_sensitivity
    if plot:
        check_path(plot)
    frame = _measured(**options)
    if csv:
        write_csv(csv, frame)
    if plot:
        draw_sensitivity(frame, plot)
    if as_json:
        say_json(frame.to_dict(orient="records"))
    else:
        from .tables import console, table

        title = "{model} on {dataset}, channels ranked by {criterion}".format(**options)
        console().print(table(frame, title))


def _measured(
    model: str,
    dataset: str,
    data_dir: Path | None,
    criterion: str,
    ratios: tuple[float, ...],
    images: int,
    workers: int,
    **common: Any,
) -> "pd.DataFrame":
    with quietly():
        from keras_prune import criteria
        from keras_prune.graph import ChannelGraph
        from keras_prune.methods.ranking import RATIOS, sensitivity
        from keras_prune.training import evaluate
        from keras_prune.training.config import CommonConfig
        from keras_prune.training.source import open_file
    score = criteria.get(criterion)
    given = {name: value for name, value in common.items() if value is not None}
    config = CommonConfig(model, dataset, **given)
    network, splits = open_file(config, data_dir)
    found = evaluate(network, splits.validation_arrays(images))
    tell_doubts(found["accuracy"], splits.num_classes)
    graph = ChannelGraph(network)
    scores = score(graph, splits.training_sample(images))
    with display() as watcher:
        return sensitivity(
            graph,
            scores,
            splits,
            images=images,
            ratios=ratios or RATIOS,
            precision=config.precision,
            workers=workers,
            watcher=watcher,
        )
