"""Options that several commands share, each said once."""

import math
from pathlib import Path

import click

COUNT = click.IntRange(min=1)
FILE = click.Path(path_type=Path)


def positive(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """Callback of an option whose value is a finite number above 0."""
    if value is not None and not 0 < value < math.inf:  # also refuses nan
        raise click.BadParameter(f"expected a finite number above 0. Received: {value}.")
    return value


DATA = (
    "digits (needs no download), cifar10, mnist, fashion_mnist, a prepared TFDS data set, a "
    "directory of class folders, or module:function. Networks get pixel values 0-255."
)

dataset = click.option("--dataset", help=DATA)
required_dataset = click.option("--dataset", required=True, help=DATA)
data_dir = click.option(
    "--data-dir", type=FILE, help="Where TFDS data sets lie. [default: $TFDS_DATA_DIR]"
)
seed = click.option("--seed", type=click.IntRange(min=0), help="Seed of everything random.")
out = click.option("--out", type=FILE, help="The run directory; must be absent or empty.")
config = click.option("--config", type=FILE, help="A TOML file; options override it.")
precision = click.option("--precision", help="float32 or mixed_bfloat16.")
augment = click.option(
    "--augment/--no-augment", default=None, help="Shift (and flip) training images, or not."
)
batch_size = click.option("--batch-size", type=COUNT, help="Images per step.")
distill = click.option(
    "--distill",
    is_flag=True,
    # The section's defaults, unless a file says more.
    callback=lambda _, __, chosen: {} if chosen else None,
    help="Fine-tune towards the unpruned network, too.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
csv = click.option(
    "--csv",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the table to a CSV file, too.",
)
convention = click.option(
    "--convention", default="standard", show_default=True, help="standard, lenet or rnp."
)
