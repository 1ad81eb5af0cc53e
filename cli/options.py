"""Options that several commands share, each said once."""

import math
from pathlib import Path
from typing import Any, get_args

import click

from keras_prune.training.config import Precision

from .options_from import Number

COUNT = click.IntRange(min=1)
FILE = click.Path(path_type=Path)


def positive(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """Callback of an option whose value is a finite number above 0."""
    if value is not None and not 0 < value < math.inf:  # also refuses nan
        raise click.BadParameter(f"expected a finite number above 0. Received: {value}.")
    return value


DATA = (
    "digits (needs no download), cifar10, mnist, fashion_mnist, a prepared TFDS data set, a "
    "directory of class folders, or module:function. Networks get pixel values 0-255, unless "
    "--rescale says otherwise."
)

dataset = click.option("--dataset", help=DATA)
required_dataset = click.option("--dataset", required=True, help=DATA)
data_dir = click.option(
    "--data-dir", type=FILE, help="Where TFDS data sets lie. [default: $TFDS_DATA_DIR]"
)
rescale = click.option(
    "--rescale",
    type=Number(),
    default=1.0,
    help="What pixel values 0-255 are multiplied by, for a network trained on others: 1/255.",
)
seed = click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random.")
out = click.option("--out", type=FILE, help="The run directory; must be absent or empty.")
config = click.option("--config", type=FILE, help="A TOML file; options override it.")
resume = click.option(
    "--resume", type=FILE, metavar="DIR", help="Go on with the run in DIR, as its files say."
)
workers = click.option(
    "--workers", type=COUNT, default=1, show_default=True, help="Processes that measure candidates."
)
precision = click.option(
    "--precision", type=click.Choice(get_args(Precision)), help="What the layers compute in."
)
batch_size = click.option("--batch-size", type=COUNT, help="Images per step.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
csv = click.option(
    "--csv",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the table to a CSV file, too.",
)
allow_code = click.option(
    "--allow-code",
    is_flag=True,
    help="Trust the files: run what a SavedModel does beside computing, functions that a "
    "configuration names, and other model files without a try in a process of their own.",
)
convention = click.option(
    "--convention",
    type=click.Choice(("standard", "lenet", "rnp")),
    default="standard",
    show_default=True,
    help="What counts as a multiply-accumulate.",
)


def refuse_others(option: str, others: dict[str, Any]) -> None:
    """Refuses options beside one that leaves them nothing to say.

    Args:
        option: the one, for example `"--resume"`.
        others: name -> value.
    """
    for name, value in others.items():
        if value not in (None, (), False):
            raise click.UsageError(
                f"{option} keeps the run's own settings. Leave out --{name.replace('_', '-')}."
            )
